-- The changes of an account ($1), newest first: of a field ($2) or all, those before an id ($3), at
-- most $4.
SELECT id, account_id, changed_at, changed_by, field, old, new, reason
FROM account_audit
WHERE account_id = $1 AND ($2::text IS NULL OR field = $2) AND ($3::bigint IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4
