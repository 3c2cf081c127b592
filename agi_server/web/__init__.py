"""The operator console and the API, served over HTTP beside the calls."""
