-- Those of the newest calls ($6 of them) that are a group's ($1; null: anybody's), otherwise as
-- calls_of_accounts. What is read is bounded: a group without calls has none among all there are.
SELECT s.call_id, s.account_id, a.account_number, s.state, s.callerid, s.dialled, s.destination,
       s.direction, s.did, s.reason, s.authorized_at, s.limit_ms, s.held_micros, s.currency, s.dialstatus, s.talk_ms,
       s.billed_seconds, coalesce(s.corrected_cost_micros, s.cost_micros) AS cost_micros,
       (SELECT t.name FROM trunk t WHERE t.id = s.trunk_ids[coalesce(s.route, 1)]) AS trunk,
       (SELECT r.destination FROM rate r
        WHERE r.version_id = s.version_id AND r.prefix = s.prefix LIMIT 1) AS place
FROM (
    SELECT * FROM call_session c
    WHERE ($2::text IS NULL OR c.state = $2)
      AND ($3::text IS NULL OR (c.reason = $3 AND c.state IN ('denied', 'void')))
      AND ($4::timestamptz IS NULL
           OR (c.authorized_at <= $4 AND (c.authorized_at, c.call_id) < ($4, $5::text)))
    ORDER BY c.authorized_at DESC, c.call_id DESC LIMIT $6
) s
LEFT JOIN account a ON a.id = s.account_id
WHERE $1::bigint IS NULL OR a.group_id = $1
ORDER BY s.authorized_at DESC, s.call_id DESC LIMIT $7
