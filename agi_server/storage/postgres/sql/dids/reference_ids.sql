-- The ids of what a DID may name: DID group ($1) and call plan ($2); null where nothing has the name.
SELECT (SELECT id FROM did_group WHERE name = $1) AS "group",
       (SELECT id FROM call_plan WHERE name = $2) AS plan
