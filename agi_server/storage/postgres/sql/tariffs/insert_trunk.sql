-- No row: the name is taken.
INSERT INTO trunk (name, dial, strip, add_prefix, capacity) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO NOTHING
RETURNING id, name, dial, enabled, strip, add_prefix, capacity
