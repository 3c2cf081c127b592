-- No row: the name is taken.
INSERT INTO account_group (name, may_call, restriction) VALUES ($1, $2, $3)
ON CONFLICT (name) DO NOTHING
RETURNING id
