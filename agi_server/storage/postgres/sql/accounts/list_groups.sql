-- All groups, or the one of a name ($1), with how many customers, without deleted ones.
SELECT g.id, g.name, g.may_call, g.may_self_care, g.may_top_up, g.may_request_services,
       g.restriction, g.defaults,
       ARRAY(SELECT r.rule FROM group_restriction r
             WHERE r.group_id = g.id ORDER BY r.rule) AS restricted_numbers,
       ARRAY(SELECT p.name FROM group_plan gp JOIN call_plan p ON p.id = gp.plan_id
             WHERE gp.group_id = g.id ORDER BY p.name) AS plans,
       (SELECT count(*) FROM account a WHERE a.group_id = g.id AND a.deleted_at IS NULL) AS accounts
FROM account_group g
WHERE $1::text IS NULL OR g.name = $1
ORDER BY g.name
