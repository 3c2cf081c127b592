-- Add a rule. No row: it is there already.
INSERT INTO group_restriction (group_id, rule) VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING rule
