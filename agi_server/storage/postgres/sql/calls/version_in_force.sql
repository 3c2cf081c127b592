-- The version that prices calls starting at a time ($2), of the card that a version ($1) is of.
SELECT id, rules FROM rate_card_version
WHERE card_id = (SELECT card_id FROM rate_card_version WHERE id = $1)
  AND activated_at IS NOT NULL AND coalesce(effective_at, activated_at) <= $2
ORDER BY coalesce(effective_at, activated_at) DESC, activated_at DESC, id DESC LIMIT 1
