-- One call session ($1 account, $2 call id), with the names of what it refers to.
SELECT s.*, a.account_number, a.group_id, p.name AS plan, c.name AS card, v.version AS card_version,
       sold.prefix AS sold_prefix,
       (SELECT t.name FROM trunk t WHERE t.id = s.trunk_ids[coalesce(s.route, 1)]) AS trunk,
       (SELECT r.destination FROM rate r
        WHERE r.version_id = sold.version_id AND r.prefix = sold.prefix LIMIT 1) AS place
FROM call_session s
LEFT JOIN account a ON a.id = s.account_id
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
WHERE s.account_id = $1 AND s.call_id = $2
