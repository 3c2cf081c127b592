-- No row: the name is taken.
INSERT INTO campaign (name, description) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id
