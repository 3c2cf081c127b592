-- DIDs by number: of an account ($1), of a DID group ($2), only nobody's ($3), beginning with digits
-- ($4), of customers of a group ($5), the one with a number ($8); null for any. After a number ($6),
-- at most $7. Destinations stand in the order in which they ring.
SELECT d.id, d.number, d.account_id, a.account_number, g.name AS "group", p.name AS plan, d.active,
       d.valid_from, d.valid_until, d.created_at,
       (SELECT jsonb_agg(jsonb_build_array(t.priority, t.kind, t.number, t.active)
                         ORDER BY t.priority)
        FROM did_destination t WHERE t.did_id = d.id) AS destinations
FROM did d
LEFT JOIN account a ON a.id = d.account_id
LEFT JOIN did_group g ON g.id = d.group_id
LEFT JOIN call_plan p ON p.id = d.plan_id
WHERE ($1::bigint IS NULL OR d.account_id = $1)
  AND ($2::text IS NULL OR g.name = $2)
  AND (NOT $3::boolean OR d.account_id IS NULL)
  AND ($4::text IS NULL OR d.number LIKE $4 || '%')
  AND ($5::bigint IS NULL OR a.group_id = $5)
  AND ($6::text IS NULL OR d.number > $6)
  AND ($8::text IS NULL OR d.number = $8)
ORDER BY d.number LIMIT $7
