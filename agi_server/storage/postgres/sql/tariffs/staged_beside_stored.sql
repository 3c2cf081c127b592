-- The rates of a version ($1; null: none) and the staged ones, all of a prefix together.
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms, staged
FROM (
    SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
           connection_fee_micros, minimum_charge_micros,
           buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms,
           false AS staged
    FROM rate WHERE version_id = $1
    UNION ALL
    SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
           connection_fee_micros, minimum_charge_micros,
           buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms,
           true
    FROM staged_rate
) rates
ORDER BY prefix COLLATE "C"
