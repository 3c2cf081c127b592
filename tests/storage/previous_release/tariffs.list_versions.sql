-- Versions of a card ($1) or of all, or one of them ($2), newest first.
SELECT c.name AS card, c.currency, v.version, v.active,
       (SELECT count(*) FROM rate r WHERE r.version_id = v.id) AS rates,
       ARRAY(SELECT t.name FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id ORDER BY ct.position) AS trunks,
       v.source_name, v.source_sha256, v.imported_at, v.activated_at
FROM rate_card c JOIN rate_card_version v ON v.card_id = c.id
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::integer IS NULL OR v.version = $2)
ORDER BY c.name, v.version DESC
