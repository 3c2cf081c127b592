-- The call plans that customers of a group ($1) may use; none: all of them.
SELECT p.name FROM account_group g
JOIN group_plan gp ON gp.group_id = g.id
JOIN call_plan p ON p.id = gp.plan_id
WHERE g.name = $1
ORDER BY p.name
