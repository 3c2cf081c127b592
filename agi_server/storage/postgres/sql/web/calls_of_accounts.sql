-- Calls of a group ($1) or an account ($7), newest first, in a state ($2) or for a reason ($3), each
-- null for any; those before a call ($4 its time, $5 its id; null: from the newest), at most $6: the
-- newest of each account, then the newest of these. BETWEEN and the order begin with the account so
-- that only an index which does so gives it: with an equality the planner may as well read the calls
-- of all accounts by their time until enough are this one's, which it then has to read to the end.
SELECT s.call_id, s.account_id, a.account_number, s.state, s.callerid, s.dialled, s.destination,
       s.direction, s.did, s.reason, s.authorized_at, s.limit_ms, s.held_micros, s.currency, s.dialstatus, s.talk_ms,
       s.billed_seconds, coalesce(s.corrected_cost_micros, s.cost_micros) AS cost_micros,
       (SELECT t.name FROM trunk t WHERE t.id = s.trunk_ids[coalesce(s.route, 1)]) AS trunk,
       (SELECT r.destination FROM rate r
        WHERE r.version_id = s.version_id AND r.prefix = s.prefix LIMIT 1) AS place
FROM account a
CROSS JOIN LATERAL (
    SELECT * FROM call_session c
    WHERE c.account_id BETWEEN a.id AND a.id
      AND ($2::text IS NULL OR c.state = $2)
      AND ($3::text IS NULL OR (c.reason = $3 AND c.state IN ('denied', 'void')))
      AND ($4::timestamptz IS NULL
           OR (c.authorized_at <= $4 AND (c.authorized_at, c.call_id) < ($4, $5::text)))
    ORDER BY c.account_id DESC, c.authorized_at DESC, c.call_id DESC LIMIT $6
) s
WHERE ($1::bigint IS NULL OR a.group_id = $1) AND ($7::bigint IS NULL OR a.id = $7)
ORDER BY s.authorized_at DESC, s.call_id DESC LIMIT $6
