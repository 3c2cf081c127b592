-- A series of serials with so many digits ($2) whose first is $3. No row: the name is taken.
INSERT INTO series (name, digits, next_serial) VALUES ($1, $2, $3)
ON CONFLICT (name) DO NOTHING
RETURNING id
