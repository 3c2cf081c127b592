-- No row: the name is taken.
INSERT INTO did_group (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id
