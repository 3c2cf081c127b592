-- What was changed of a plan or trunk ($1) of a name ($2), newest first, at most $3.
SELECT id, changed_at, changed_by, field, old, new FROM tariff_audit
WHERE noun = $1 AND name = $2 ORDER BY id DESC LIMIT $3
