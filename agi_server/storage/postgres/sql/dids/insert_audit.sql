-- What was changed of a DID ($1), when ($2) and by whom ($3): fields ($4), old ($5), new ($6).
INSERT INTO did_audit (number, changed_at, changed_by, field, old, new)
SELECT $1, $2, $3, c.field, c.old, c.new
FROM unnest($4::text[], $5::text[], $6::text[]) AS c (field, old, new)
