-- Calls in progress, newest first: of a group ($1) or an account ($2), each null for any; at most $3.
SELECT s.call_id, s.account_id, a.account_number, s.callerid, s.destination, s.authorized_at,
       s.direction, s.did,
       s.answered_at, s.limit_ms, s.held_micros, s.currency,
       (SELECT t.name FROM trunk t WHERE t.id = s.trunk_ids[coalesce(s.route, 1)]) AS trunk,
       (SELECT r.destination FROM rate r
        WHERE r.version_id = s.version_id AND r.prefix = s.prefix LIMIT 1) AS place
FROM call_session s JOIN account a ON a.id = s.account_id
WHERE s.state = 'open'
  AND ($1::bigint IS NULL OR a.group_id = $1)
  AND ($2::bigint IS NULL OR s.account_id = $2)
ORDER BY s.authorized_at DESC, s.call_id LIMIT $3
