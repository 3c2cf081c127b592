INSERT INTO operator_session (token_sha256, operator_id, created_at, seen_at, expires_at)
VALUES ($1, $2, $3, $3, $4)
