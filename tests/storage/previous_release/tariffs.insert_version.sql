-- The next version of a card, not active yet.
INSERT INTO rate_card_version (card_id, version, source_name, source_sha256, imported_at)
SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4 FROM rate_card_version WHERE card_id = $1
RETURNING id, version
