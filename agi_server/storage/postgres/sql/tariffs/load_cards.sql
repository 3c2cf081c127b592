-- Everything but the rates that the daemon keeps in memory: each plan's cards in order, each with
-- the versions in force at a time ($1) or later, oldest first, and its enabled trunks.
SELECT p.id AS plan_id, p.name AS plan_name, p.route_order, p.sell_price, p.allow_loss,
       p.hold_mode, p.country, p.area_code, p.local_lengths, p.short_codes, c.name AS card_name, c.currency, v.id AS version_id, v.version, v.rules,
       v.valid_from, v.valid_until,
       ARRAY(SELECT ct.trunk_id FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id AND t.enabled ORDER BY ct.position) AS trunk_ids
FROM call_plan p
LEFT JOIN call_plan_card pc ON pc.plan_id = p.id
LEFT JOIN rate_card c ON c.id = pc.card_id
LEFT JOIN LATERAL (
    -- A card's first version was there always, unless a date was given: a daemon whose clock is
    -- behind that of the operator refuses nobody.
    SELECT id, version, rules, in_force_from,
           CASE WHEN effective_at IS NOT NULL OR row_number() OVER by_time > 1
                THEN in_force_from END AS valid_from,
           lead(in_force_from) OVER by_time AS valid_until
    FROM (
        SELECT *, coalesce(effective_at, activated_at) AS in_force_from
        FROM rate_card_version WHERE card_id = c.id AND activated_at IS NOT NULL
    ) activated
    WINDOW by_time AS (ORDER BY in_force_from, activated_at, id)
) v ON v.valid_until IS NULL OR v.valid_until > $1
ORDER BY p.id, pc.position, v.in_force_from, v.version
