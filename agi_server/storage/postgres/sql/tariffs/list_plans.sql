-- All call plans, or the one of a name ($1).
SELECT p.id, p.name, p.route_order, p.sell_price, p.allow_loss, p.hold_mode,
       p.country, p.area_code, p.local_lengths, p.short_codes,
       ARRAY(SELECT c.name FROM call_plan_card pc JOIN rate_card c ON c.id = pc.card_id
             WHERE pc.plan_id = p.id ORDER BY pc.position) AS cards,
       ARRAY(SELECT k.name FROM call_plan_package pk JOIN package k ON k.id = pk.package_id
             WHERE pk.plan_id = p.id ORDER BY pk.position) AS packages,
       (SELECT count(*) FROM account a WHERE a.plan_id = p.id) AS accounts
FROM call_plan p
WHERE $1::text IS NULL OR p.name = $1
ORDER BY p.name
