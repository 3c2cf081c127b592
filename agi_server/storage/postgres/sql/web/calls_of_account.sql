-- Calls of an account ($1), newest first, in a state ($2) or for a reason ($3), each null for any;
-- those before a call ($4 its time, $5 its id; null: from the newest), at most $6.
SELECT s.call_id, s.account_id, a.account_number, s.state, s.callerid, s.dialled, s.destination,
       s.direction, s.did, s.reason, s.authorized_at, s.limit_ms, s.held_micros, s.currency, s.dialstatus, s.talk_ms,
       s.billed_seconds, coalesce(s.corrected_cost_micros, s.cost_micros) AS cost_micros,
       (SELECT t.name FROM trunk t WHERE t.id = s.trunk_ids[coalesce(s.route, 1)]) AS trunk,
       (SELECT r.destination FROM rate r
        WHERE r.version_id = s.version_id AND r.prefix = s.prefix LIMIT 1) AS place
FROM call_session s JOIN account a ON a.id = s.account_id
WHERE s.account_id = $1
  AND ($2::text IS NULL OR s.state = $2)
  AND ($3::text IS NULL OR (s.reason = $3 AND s.state IN ('denied', 'void')))
  AND ($4::timestamptz IS NULL
       OR (s.authorized_at <= $4 AND (s.authorized_at, s.call_id) < ($4, $5::text)))
ORDER BY s.authorized_at DESC, s.call_id DESC LIMIT $6
