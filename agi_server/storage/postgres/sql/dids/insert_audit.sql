-- What was changed when ($1) and by whom ($2): of DIDs ($3) fields ($4), old ($5), new ($6).
INSERT INTO did_audit (number, changed_at, changed_by, field, old, new)
SELECT c.number, $1, $2, c.field, c.old, c.new
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS c (number, field, old, new)
