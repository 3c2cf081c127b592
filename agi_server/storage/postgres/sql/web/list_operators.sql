-- All operators, or the one of a name ($1).
SELECT o.id, o.name, o.role, o.group_id, g.name AS group_name, o.language, o.timezone,
       o.totp_secret IS NOT NULL AS has_totp, o.disabled_at, o.created_at
FROM operator o LEFT JOIN account_group g ON g.id = o.group_id
WHERE $1::text IS NULL OR o.name = $1
ORDER BY o.name
