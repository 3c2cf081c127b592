-- The ids of accounts by status ($1), group ($2), call plan ($3) and campaign ($4), each null for
-- any, and found by words ($5), digits of a CallerID ($6) or an account number ($7), all null for
-- any; those after an id ($8), at most $9. A name that nothing has finds nothing.
WITH named AS (
    SELECT (SELECT id FROM account_group WHERE name = $2) AS group_id,
           (SELECT id FROM call_plan WHERE name = $3) AS plan_id,
           (SELECT id FROM campaign WHERE name = $4) AS campaign_id
), found AS MATERIALIZED (
    (SELECT account_id AS id FROM customer WHERE words @@ $5::text::tsquery LIMIT 2001)
    UNION ALL (SELECT account_id FROM callerid WHERE number LIKE $6::text || '%' LIMIT 2001)
    UNION ALL SELECT id FROM account WHERE account_number = $7
), much AS MATERIALIZED (
    -- Where so many are found, a page is soon full: then it is quicker to look at one account after
    -- the other than to collect all that are found.
    SELECT count(*) > 2000 AS is_found FROM found
)
SELECT a.id
FROM named, much, account a
WHERE a.id > $8
  AND ($1::smallint IS NULL OR a.status = $1)
  AND ($2::text IS NULL OR a.group_id = named.group_id)
  AND ($3::text IS NULL OR a.plan_id = named.plan_id)
  AND ($4::text IS NULL OR a.id IN (
      SELECT account_id FROM customer WHERE campaign_id = named.campaign_id))
  AND CASE
      WHEN $5::text IS NULL AND $6::text IS NULL AND $7::text IS NULL THEN true
      WHEN much.is_found THEN
          (SELECT c.words @@ $5::text::tsquery FROM customer c WHERE c.account_id = a.id)
          OR a.account_number = $7
          OR (SELECT count(*) FROM callerid n
              WHERE n.account_id = a.id AND n.number LIKE $6::text || '%') > 0
      ELSE a.id IN (SELECT id FROM found)
  END
ORDER BY a.id LIMIT $9
