SELECT max(version) FROM rate_card_version WHERE card_id = $1
