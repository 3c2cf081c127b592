-- The operator of a session ($1) that has not expired ($2 now) and was seen since ($3).
SELECT o.id, o.name, o.role, o.group_id, g.name AS group_name, o.language, o.timezone, s.seen_at
FROM operator_session s
JOIN operator o ON o.id = s.operator_id
LEFT JOIN account_group g ON g.id = o.group_id
WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND o.disabled_at IS NULL
