-- Versions of a card ($1) or of all, or one of them ($2), newest first, as they are at a time ($3).
SELECT c.name AS card, c.currency, v.version,
       coalesce(f.effective_at <= $3 AND (f.superseded_at IS NULL OR f.superseded_at > $3), false)
           AS active,
       (SELECT count(*) FROM rate r WHERE r.version_id = v.id) AS rates,
       ARRAY(SELECT t.name FROM rate_card_trunk ct JOIN trunk t ON t.id = ct.trunk_id
             WHERE ct.card_id = c.id ORDER BY ct.position) AS trunks,
       v.source_name, v.source_sha256, v.imported_at, v.activated_at,
       f.effective_at, f.superseded_at, v.rules
FROM rate_card c JOIN rate_card_version v ON v.card_id = c.id
LEFT JOIN LATERAL (
    SELECT id, begins AS effective_at,
           lead(begins) OVER (ORDER BY begins, activated_at, id) AS superseded_at
    FROM (
        SELECT id, activated_at, coalesce(effective_at, activated_at) AS begins
        FROM rate_card_version WHERE card_id = c.id AND activated_at IS NOT NULL
    ) activated
) f ON f.id = v.id
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::integer IS NULL OR v.version = $2)
ORDER BY c.name, v.version DESC
