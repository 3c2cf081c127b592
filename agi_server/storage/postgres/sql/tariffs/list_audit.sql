-- What was changed of a plan, trunk, group … ($1) of a name ($2) or, with null, of all of them, also of
-- deleted ones: newest first, at most $3.
SELECT id, name, changed_at, changed_by, field, old, new FROM tariff_audit
WHERE noun = $1 AND ($2::text IS NULL OR name = $2) ORDER BY id DESC LIMIT $3
