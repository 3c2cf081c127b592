-- No row: the operator has a token of this label.
INSERT INTO operator_token (operator_id, label, token_sha256, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (operator_id, label) DO NOTHING
RETURNING id
