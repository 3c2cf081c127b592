"""The API under /api/v1: JSON, bearer tokens, problems as application/problem+json."""
