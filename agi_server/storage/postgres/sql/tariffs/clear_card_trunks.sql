DELETE FROM rate_card_trunk WHERE card_id = $1
