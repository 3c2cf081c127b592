-- All DID groups, or the one of a name ($1).
SELECT d.id, d.name,
       (SELECT count(*) FROM customer c WHERE c.did_group_id = d.id) AS accounts,
       (SELECT count(*) FROM did n WHERE n.group_id = d.id) AS dids
FROM did_group d
WHERE $1::text IS NULL OR d.name = $1
ORDER BY d.name
