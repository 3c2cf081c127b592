SELECT t.id, o.name AS operator, t.label, t.created_at, t.revoked_at
FROM operator_token t JOIN operator o ON o.id = t.operator_id
ORDER BY o.name, t.id
