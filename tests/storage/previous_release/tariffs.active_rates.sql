-- The rates of a card's active version.
SELECT r.prefix, r.destination, r.price_micros_per_minute, r.initial_s, r.increment_s,
       r.connection_fee_micros, r.minimum_charge_micros,
       r.buy_price_micros_per_minute, r.buy_initial_s, r.buy_increment_s, r.effective_from
FROM rate_card c
JOIN rate_card_version v ON v.card_id = c.id AND v.active
JOIN rate r ON r.version_id = v.id
WHERE c.name = $1
