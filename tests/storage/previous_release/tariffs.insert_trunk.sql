-- No row: the name is taken.
INSERT INTO trunk (name, dial) VALUES ($1, $2)
ON CONFLICT (name) DO NOTHING
RETURNING id, name, dial, enabled
