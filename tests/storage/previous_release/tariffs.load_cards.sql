-- Everything but the rates that the daemon keeps in memory: each plan's cards in order, with the
-- active version and the enabled trunks of each.
SELECT p.id AS plan_id, p.name AS plan_name, c.id AS card_id, c.name AS card_name, c.currency,
       v.id AS version_id,
       ARRAY(SELECT t.id FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id AND t.enabled ORDER BY ct.position) AS trunk_ids,
       ARRAY(SELECT t.name FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id AND t.enabled ORDER BY ct.position) AS trunk_names,
       ARRAY(SELECT t.dial FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id AND t.enabled ORDER BY ct.position) AS trunk_dials
FROM call_plan p
LEFT JOIN call_plan_card pc ON pc.plan_id = p.id
LEFT JOIN rate_card c ON c.id = pc.card_id
LEFT JOIN rate_card_version v ON v.card_id = c.id AND v.active
ORDER BY p.id, pc.position
