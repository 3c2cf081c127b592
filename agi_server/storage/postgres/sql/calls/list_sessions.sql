-- Call sessions, newest first: of an account ($1), in a state ($2), refused for a reason ($3),
-- authorized since ($4), with an id ($5), each null for any, only those to be reviewed ($7); at most
-- $6.
SELECT s.account_id, s.call_id, s.state, s.server, s.uniqueid, s.channel, s.direction, s.did,
       s.identified_by,
       s.callerid, s.dialled, s.destination, s.reason, s.authorized_at, s.expires_at, s.limit_ms,
       s.held_micros, s.currency, p.name AS plan_name, sold.prefix,
       (SELECT t.name FROM trunk t WHERE t.id = s.trunk_ids[coalesce(s.route, 1)]) AS trunk_name,
       s.route, s.dialstatus, s.hangupcause, s.answered_at, s.ended_at, s.talk_ms,
       s.billed_seconds, s.cost_micros, s.corrected_cost_micros, s.buy_cost_micros,
       s.discount_basis_points, s.exchange, c.name AS card_name, v.version AS card_version,
       s.price_lines, s.witness, s.review, k.name AS package, k.unit AS package_unit,
       s.package_begins_on, s.package_held, s.package_used,
       s.seen_answered_at, s.seen_at,
       s.settled_at
FROM call_session s
LEFT JOIN call_plan p ON p.id = s.plan_id
LEFT JOIN LATERAL (
    -- What the call is sold by: the card of its route where the plan sells by route.
    SELECT coalesce((x.sold ->> 'version_id')::bigint, s.version_id) AS version_id,
           coalesce(x.sold ->> 'prefix', s.prefix) AS prefix
    FROM (SELECT CASE WHEN s.sell_price = 'route' THEN
              coalesce(s.routes -> greatest(s.route - 1, 0), s.routes -> 0) END AS sold) x
) sold ON true
LEFT JOIN rate_card_version v ON v.id = sold.version_id
LEFT JOIN rate_card c ON c.id = v.card_id
LEFT JOIN package k ON k.id = s.package_id
WHERE ($1::bigint IS NULL OR s.account_id = $1)
  AND ($2::text IS NULL OR s.state = $2)
  AND ($3::text IS NULL OR s.reason = $3)
  AND ($4::timestamptz IS NULL OR s.authorized_at >= $4)
  AND ($5::text IS NULL OR s.call_id = $5)
  AND (NOT $7 OR s.review IS NOT NULL)
ORDER BY s.authorized_at DESC LIMIT $6
