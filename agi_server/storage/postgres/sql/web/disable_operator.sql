-- Switch an operator off ($2 when) or on again ($2 null). No row: there is none of this name.
UPDATE operator SET disabled_at = $2 WHERE name = $1 RETURNING id
