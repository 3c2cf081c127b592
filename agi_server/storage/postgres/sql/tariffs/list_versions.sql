-- Versions of a card ($1) or of all, or one of them ($2), newest first, as they are at a time ($3).
SELECT c.name AS card, c.currency, v.version,
       v.id IS NOT DISTINCT FROM (
           SELECT f.id FROM rate_card_version f
           WHERE f.card_id = c.id AND f.activated_at IS NOT NULL
             AND coalesce(f.effective_at, f.activated_at) <= $3
           ORDER BY coalesce(f.effective_at, f.activated_at) DESC, f.activated_at DESC, f.id DESC
           LIMIT 1) AS active,
       (SELECT count(*) FROM rate r WHERE r.version_id = v.id) AS rates,
       ARRAY(SELECT t.name FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id ORDER BY ct.position) AS trunks,
       v.source_name, v.source_sha256, v.imported_at, v.activated_at,
       coalesce(v.effective_at, v.activated_at) AS effective_at, v.rules
FROM rate_card c JOIN rate_card_version v ON v.card_id = c.id
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::integer IS NULL OR v.version = $2)
ORDER BY c.name, v.version DESC
