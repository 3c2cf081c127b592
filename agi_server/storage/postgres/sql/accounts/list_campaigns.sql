-- All campaigns, or the one of a name ($1).
SELECT m.id, m.name, m.description,
       (SELECT count(*) FROM customer c WHERE c.campaign_id = m.id) AS accounts
FROM campaign m
WHERE $1::text IS NULL OR m.name = $1
ORDER BY m.name
