-- A version of a card ($1): the one of a number ($2), or else the one in force at a time ($3).
SELECT v.id, v.version, v.rules
FROM rate_card_version v JOIN rate_card c ON c.id = v.card_id
WHERE c.name = $1
  AND CASE WHEN $2::integer IS NOT NULL THEN v.version = $2
           ELSE v.activated_at IS NOT NULL AND coalesce(v.effective_at, v.activated_at) <= $3 END
ORDER BY coalesce(v.effective_at, v.activated_at) DESC, v.activated_at DESC, v.id DESC LIMIT 1
