-- A card ($1) and its version in force at a time ($2), which is null where none is.
SELECT c.currency, v.id AS version_id, v.version, v.rules, v.begins
FROM rate_card c
LEFT JOIN LATERAL (
    SELECT id, version, rules, coalesce(effective_at, activated_at) AS begins
    FROM rate_card_version
    WHERE card_id = c.id AND activated_at IS NOT NULL
      AND coalesce(effective_at, activated_at) <= $2
    ORDER BY coalesce(effective_at, activated_at) DESC, activated_at DESC, id DESC LIMIT 1
) v ON true
WHERE c.name = $1
