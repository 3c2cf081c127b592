-- No row: the name is taken.
INSERT INTO package (name, unit, amount, period, first_day, prefixes) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING
RETURNING id
