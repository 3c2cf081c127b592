-- What a change of many may touch of the accounts with an id ($1), in the order of the ids.
SELECT a.id, a.status, a.deleted_at, g.name AS "group", p.name AS plan, m.name AS campaign
FROM account a
JOIN customer c ON c.account_id = a.id
LEFT JOIN account_group g ON g.id = a.group_id
LEFT JOIN call_plan p ON p.id = a.plan_id
LEFT JOIN campaign m ON m.id = c.campaign_id
WHERE a.id = ANY($1::bigint[])
ORDER BY a.id
