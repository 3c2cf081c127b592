-- All rates of one immutable version.
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from
FROM rate WHERE version_id = $1
