-- What was changed of a DID ($1), newest first, at most $2; for one that belongs to an account ($3, as
-- the audit names it: id:12) only since it does.
SELECT id, changed_at, changed_by, field, old, new FROM did_audit
WHERE number = $1
  AND ($3::text IS NULL
       OR id >= (SELECT max(id) FROM did_audit WHERE number = $1 AND field = 'account' AND new = $3))
ORDER BY id DESC LIMIT $2
