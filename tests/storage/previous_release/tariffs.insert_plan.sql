-- No row: the name is taken.
INSERT INTO call_plan (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id
