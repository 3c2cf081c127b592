-- The version of a card that was made of this very file.
SELECT version FROM rate_card_version WHERE card_id = $1 AND source_sha256 = $2
ORDER BY version DESC LIMIT 1
