-- Change what is not null. No row: there is no such package ($1).
UPDATE package SET amount = coalesce($2, amount), prefixes = coalesce($3, prefixes)
WHERE name = $1
RETURNING id
