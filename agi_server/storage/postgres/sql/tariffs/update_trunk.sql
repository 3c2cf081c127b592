-- Change what is not null. No row: there is no such trunk ($1).
UPDATE trunk SET dial = coalesce($2, dial), strip = coalesce($3, strip),
                 add_prefix = coalesce($4, add_prefix), capacity = coalesce($5, capacity)
WHERE name = $1
RETURNING id, name, dial, enabled, strip, add_prefix, capacity
