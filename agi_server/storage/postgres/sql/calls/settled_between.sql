-- Settled calls that were answered and authorized in [$1, $2), oldest first, those after a
-- call ($3 its time, $4 its account, $5 its id), at most $6: what they were priced by and at. $7:
-- only those with a part of a package.
SELECT s.account_id, s.call_id, s.authorized_at, s.answer_by, s.answered_at, s.settled_at,
       s.talk_ms, s.route, s.limit_ms, s.currency, s.destination, s.version_id, s.prefix, s.trunk_ids,
       s.discount_basis_points, s.sell_price, s.exchange, s.routes,
       s.cost_micros, s.corrected_cost_micros, s.buy_cost_micros,
       s.package_id, s.package_begins_on, s.package_held, s.package_used, k.unit AS package_unit,
       u.amount - u.taken AS package_left,
       to_jsonb(r) AS rate, v.rules,
       (SELECT jsonb_agg(jsonb_build_object('rate', to_jsonb(rr), 'rules', rv.rules) ORDER BY x.n)
        FROM jsonb_array_elements(s.routes) WITH ORDINALITY x (route, n)
        LEFT JOIN rate rr ON rr.version_id = (x.route ->> 'version_id')::bigint
            AND rr.prefix = x.route ->> 'prefix'
            AND rr.effective_from IS NOT DISTINCT FROM
                (x.route ->> 'effective_from')::timestamptz
        LEFT JOIN rate_card_version rv ON rv.id = rr.version_id) AS route_rates
FROM call_session s
JOIN rate r ON r.version_id = s.version_id AND r.prefix = s.prefix
    AND r.effective_from IS NOT DISTINCT FROM s.rate_effective_from
JOIN rate_card_version v ON v.id = s.version_id
LEFT JOIN package k ON k.id = s.package_id
LEFT JOIN package_use u ON u.account_id = s.account_id AND u.package_id = s.package_id
    AND u.begins_on = s.package_begins_on
WHERE s.state = 'settled' AND s.billed_seconds > 0
  AND s.authorized_at >= $1 AND s.authorized_at < $2
  AND (s.authorized_at, s.account_id, s.call_id) > ($3, $4, $5)
  AND (s.package_id IS NOT NULL OR NOT $7::boolean)
ORDER BY s.authorized_at, s.account_id, s.call_id LIMIT $6
