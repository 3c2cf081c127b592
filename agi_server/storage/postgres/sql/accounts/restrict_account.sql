-- Add a rule. No row: it is there already.
INSERT INTO account_restriction (account_id, rule) VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING rule
