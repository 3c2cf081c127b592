-- Whether one of some accounts ($1) was deleted.
SELECT id FROM account WHERE id = ANY($1::bigint[]) AND deleted_at IS NOT NULL LIMIT 1
