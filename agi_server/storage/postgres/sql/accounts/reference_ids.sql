-- The ids of what an account may name: group ($1), call plan ($2), series ($3), DID group ($4) and
-- campaign ($5); null where nothing has the name.
SELECT (SELECT id FROM account_group WHERE name = $1) AS "group",
       (SELECT id FROM call_plan WHERE name = $2) AS plan,
       (SELECT id FROM series WHERE name = $3) AS series,
       (SELECT id FROM did_group WHERE name = $4) AS did_group,
       (SELECT id FROM campaign WHERE name = $5) AS campaign
