-- All groups, or the one of a name ($1).
SELECT g.id, g.name, g.may_call, g.restriction, g.defaults,
       ARRAY(SELECT r.rule FROM group_restriction r
             WHERE r.group_id = g.id ORDER BY r.rule) AS restricted_numbers,
       (SELECT count(*) FROM account a WHERE a.group_id = g.id) AS accounts
FROM account_group g
WHERE $1::text IS NULL OR g.name = $1
ORDER BY g.name
