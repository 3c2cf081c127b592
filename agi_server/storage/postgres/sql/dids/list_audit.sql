-- What was changed of a DID ($1), newest first, at most $2.
SELECT changed_at, changed_by, field, old, new FROM did_audit
WHERE number = $1 ORDER BY id DESC LIMIT $2
