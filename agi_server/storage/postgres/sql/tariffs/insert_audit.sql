-- What was changed of a plan, trunk, group … ($1) of a name ($2), when ($3) and by whom ($4): fields ($5), old ($6), new ($7).
INSERT INTO tariff_audit (noun, name, changed_at, changed_by, field, old, new)
SELECT $1, $2, $3, $4, c.field, c.old, c.new
FROM unnest($5::text[], $6::text[], $7::text[]) AS c (field, old, new)
