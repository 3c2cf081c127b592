-- The ids of accounts by status ($1), group ($2), call plan ($3) and campaign ($4), each null for
-- any, and found by words ($5), digits of a CallerID ($6) or an account number ($7), all null for
-- any; those after an id ($8), at most $9. A name that nothing has finds nothing.
WITH named AS (
    SELECT (SELECT id FROM account_group WHERE name = $2) AS group_id,
           (SELECT id FROM call_plan WHERE name = $3) AS plan_id,
           (SELECT id FROM campaign WHERE name = $4) AS campaign_id
), bounds AS (
    -- What is found may be many; without a filter no more of it are needed than the page has.
    SELECT CASE WHEN $1::smallint IS NULL AND $2::text IS NULL AND $3::text IS NULL
                     AND $4::text IS NULL THEN $9::bigint END AS most
), found AS MATERIALIZED (
    (SELECT account_id AS id FROM customer
     WHERE words @@ $5::text::tsquery AND account_id > $8
     ORDER BY account_id LIMIT (SELECT most FROM bounds))
    UNION
    (SELECT account_id FROM callerid
     WHERE number LIKE $6::text || '%' AND account_id > $8
     ORDER BY account_id LIMIT (SELECT most FROM bounds))
    UNION SELECT id FROM account WHERE account_number = $7
)
SELECT a.id
FROM named, account a
WHERE a.id > $8
  AND ($1::smallint IS NULL OR a.status = $1)
  AND ($2::text IS NULL OR a.group_id = named.group_id)
  AND ($3::text IS NULL OR a.plan_id = named.plan_id)
  AND ($4::text IS NULL OR a.id IN (
      SELECT account_id FROM customer WHERE campaign_id = named.campaign_id))
  AND (($5::text IS NULL AND $6::text IS NULL AND $7::text IS NULL) OR a.id IN (SELECT id FROM found))
ORDER BY a.id LIMIT $9
