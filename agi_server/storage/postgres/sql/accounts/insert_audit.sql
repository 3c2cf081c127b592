-- What was changed when ($1), by whom ($2) and why ($7, null: not said): of accounts ($3) fields ($4),
-- old ($5), new ($6).
INSERT INTO account_audit (account_id, changed_at, changed_by, field, old, new, reason)
SELECT c.account_id, $1, $2, c.field, c.old, c.new, $7
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS c (account_id, field, old, new)
