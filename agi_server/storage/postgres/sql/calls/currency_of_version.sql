-- The currency of the card that a version ($1) is of.
SELECT c.currency FROM rate_card c JOIN rate_card_version v ON v.card_id = c.id WHERE v.id = $1
