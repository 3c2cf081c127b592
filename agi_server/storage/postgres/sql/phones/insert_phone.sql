-- A phone of an account; no row: it has one of this technology, or the user name is taken.
INSERT INTO phone (account_id, technology, user_name, device_token_sha256, provisioning, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING user_name
