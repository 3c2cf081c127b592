-- The ids of what DIDs may name: DID groups ($1) and call plans ($2).
SELECT 'group' AS field, name, id FROM did_group WHERE name = ANY($1::text[])
UNION ALL SELECT 'plan', name, id FROM call_plan WHERE name = ANY($2::text[])
