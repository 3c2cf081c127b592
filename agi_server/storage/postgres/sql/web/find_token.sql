-- The operator of a token that is in use.
SELECT o.id, o.name, o.role, o.group_id, g.name AS group_name, o.language, o.timezone
FROM operator_token t
JOIN operator o ON o.id = t.operator_id
LEFT JOIN account_group g ON g.id = o.group_id
WHERE t.token_sha256 = $1 AND t.revoked_at IS NULL AND o.disabled_at IS NULL
