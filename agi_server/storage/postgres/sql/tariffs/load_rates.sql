-- The rates of one immutable version ($1): all, or those whose prefix is one of $2.
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM rate WHERE version_id = $1 AND ($2::text[] IS NULL OR prefix = ANY ($2))
