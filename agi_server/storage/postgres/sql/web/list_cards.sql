-- Rate cards with their newest version, the one in force at a time ($1) and their trunks.
SELECT c.name, c.currency, n.version AS newest, n.imported_at,
       f.version AS in_force,
       ARRAY(SELECT t.name FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id ORDER BY ct.position) AS trunks
FROM rate_card c
LEFT JOIN LATERAL (
    SELECT version, imported_at FROM rate_card_version
    WHERE card_id = c.id ORDER BY version DESC LIMIT 1
) n ON true
LEFT JOIN LATERAL (
    SELECT id, version FROM rate_card_version
    WHERE card_id = c.id AND activated_at IS NOT NULL AND coalesce(effective_at, activated_at) <= $1
    ORDER BY coalesce(effective_at, activated_at) DESC, activated_at DESC, id DESC LIMIT 1
) f ON true
ORDER BY c.name
