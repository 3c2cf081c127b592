-- One session with the rates it is priced by (none where it is free), for a daemon that did not
-- authorize it itself.
SELECT s.account_id, s.call_id, s.version_id, s.state, s.uniqueid, s.authorized_at, s.answer_by, s.limit_ms,
       s.cap_ms, s.held_micros, s.currency, s.prefix, s.trunk_ids, s.discount_basis_points, s.sell_price,
       s.server, s.seen_answered_at, s.seen_at,
       s.exchange, s.routes, a.account_number,
       s.package_id, s.package_begins_on, s.package_held, k.unit AS package_unit,
       (SELECT array_agg(t.id) FROM trunk t WHERE t.id = ANY (s.trunk_ids) AND t.capacity > 0)
           AS counted_trunk_ids,
       (SELECT array_agg(coalesce(t.dial, '') ORDER BY x.n)
        FROM unnest(s.trunk_ids) WITH ORDINALITY x (id, n) LEFT JOIN trunk t ON t.id = x.id)
           AS trunk_dials,
       to_jsonb(r) AS rate, v.rules,
       (SELECT jsonb_agg(jsonb_build_object('rate', to_jsonb(rr), 'rules', rv.rules) ORDER BY x.n)
        FROM jsonb_array_elements(s.routes) WITH ORDINALITY x (route, n)
        LEFT JOIN rate rr ON rr.version_id = (x.route ->> 'version_id')::bigint
            AND rr.prefix = x.route ->> 'prefix'
            AND rr.effective_from IS NOT DISTINCT FROM
                (x.route ->> 'effective_from')::timestamptz
        LEFT JOIN rate_card_version rv ON rv.id = rr.version_id) AS route_rates
FROM call_session s
LEFT JOIN account a ON a.id = s.account_id
LEFT JOIN package k ON k.id = s.package_id
LEFT JOIN rate r ON r.version_id = s.version_id AND r.prefix = s.prefix
    AND r.effective_from IS NOT DISTINCT FROM s.rate_effective_from
LEFT JOIN rate_card_version v ON v.id = s.version_id
WHERE s.account_id = $1 AND s.call_id = $2
