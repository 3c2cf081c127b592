-- All campaigns, or the one of a name ($1), with how many customers, without deleted ones.
SELECT m.id, m.name, m.description,
       (SELECT count(*) FROM customer c WHERE c.campaign_id = m.id
        AND NOT EXISTS (SELECT FROM account a
                        WHERE a.id = c.account_id AND a.deleted_at IS NOT NULL)) AS accounts
FROM campaign m
WHERE $1::text IS NULL OR m.name = $1
ORDER BY m.name
