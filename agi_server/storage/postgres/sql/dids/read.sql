-- One DID by its number ($1), with its destinations in the order in which they ring.
SELECT d.id, d.number, d.account_id, a.account_number, g.name AS "group", p.name AS plan, d.active,
       d.valid_from, d.valid_until, d.created_at,
       (SELECT jsonb_agg(jsonb_build_array(t.priority, t.kind, t.number, t.active)
                         ORDER BY t.priority)
        FROM did_destination t WHERE t.did_id = d.id) AS destinations
FROM did d
LEFT JOIN account a ON a.id = d.account_id
LEFT JOIN did_group g ON g.id = d.group_id
LEFT JOIN call_plan p ON p.id = d.plan_id
WHERE d.number = $1
