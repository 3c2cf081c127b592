-- Take back an activation of a card's ($1) version ($2) that begins after a time ($3).
-- No row: there is none.
UPDATE rate_card_version v SET activated_at = NULL, effective_at = NULL, active = false
FROM rate_card c
WHERE c.id = v.card_id AND c.name = $1 AND v.version = $2 AND v.effective_at > $3
RETURNING v.version
