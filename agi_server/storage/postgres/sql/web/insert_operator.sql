-- A new operator. No row: the name is taken.
INSERT INTO operator (name, role, group_id, password_hash, totp_secret, language, timezone, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (name) DO NOTHING
RETURNING id
