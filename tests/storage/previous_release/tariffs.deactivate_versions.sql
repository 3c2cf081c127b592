-- All versions of a card but one ($2).
UPDATE rate_card_version SET active = false WHERE card_id = $1 AND active AND version <> $2
