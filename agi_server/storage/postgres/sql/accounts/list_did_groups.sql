-- All DID groups, or the one of a name ($1), with how many customers, without deleted ones.
SELECT d.id, d.name,
       (SELECT count(*) FROM customer c WHERE c.did_group_id = d.id
        AND NOT EXISTS (SELECT FROM account a
                        WHERE a.id = c.account_id AND a.deleted_at IS NOT NULL)) AS accounts,
       (SELECT count(*) FROM did n WHERE n.group_id = d.id) AS dids
FROM did_group d
WHERE $1::text IS NULL OR d.name = $1
ORDER BY d.name
