-- No row: there is no such token in use.
UPDATE operator_token t SET revoked_at = $3
FROM operator o
WHERE o.id = t.operator_id AND o.name = $1 AND t.label = $2 AND t.revoked_at IS NULL
RETURNING t.id
