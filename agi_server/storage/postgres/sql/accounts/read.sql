-- All fields of the account with a number ($1) or of those with an id ($2), in the order of the ids.
SELECT a.*, c.*, a.open_calls - a.open_forwards AS calls_in_use, g.name AS group_name, p.name AS plan_name, s.name AS series_name,
       d.name AS did_group_name, m.name AS campaign_name,
       ARRAY(SELECT r.rule FROM account_restriction r
             WHERE r.account_id = a.id ORDER BY r.rule) AS restricted_numbers,
       ARRAY(SELECT n.number FROM callerid n
             WHERE n.account_id = a.id ORDER BY n.number) AS callerids
FROM (
    SELECT unnest($2::bigint[]) AS id
    UNION SELECT id FROM account WHERE account_number = $1
) AS wanted
JOIN account a ON a.id = wanted.id
JOIN customer c ON c.account_id = a.id
LEFT JOIN account_group g ON g.id = a.group_id
LEFT JOIN call_plan p ON p.id = a.plan_id
LEFT JOIN series s ON s.id = c.series_id
LEFT JOIN did_group d ON d.id = c.did_group_id
LEFT JOIN campaign m ON m.id = c.campaign_id
ORDER BY a.id
