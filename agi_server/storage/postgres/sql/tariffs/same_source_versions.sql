-- The versions of a card that were made of this very file, by the same rules.
SELECT id, version FROM rate_card_version
WHERE card_id = $1 AND source_sha256 = $2 AND rules = $3
ORDER BY version DESC
