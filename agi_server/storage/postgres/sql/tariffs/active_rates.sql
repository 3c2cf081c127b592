-- The rates of the version of a card ($1) that is in force at a time ($2).
SELECT r.prefix, r.destination, r.price_micros_per_minute, r.initial_s, r.increment_s,
       r.connection_fee_micros, r.minimum_charge_micros,
       r.buy_price_micros_per_minute, r.buy_initial_s, r.buy_increment_s, r.effective_from, r.terms
FROM rate r
WHERE r.version_id = (
    SELECT v.id FROM rate_card_version v JOIN rate_card c ON c.id = v.card_id
    WHERE c.name = $1 AND v.activated_at IS NOT NULL
      AND coalesce(v.effective_at, v.activated_at) <= $2
    ORDER BY coalesce(v.effective_at, v.activated_at) DESC, v.activated_at DESC, v.id DESC LIMIT 1)
