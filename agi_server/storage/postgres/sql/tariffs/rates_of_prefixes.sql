-- What a version ($1; null: none) has of some prefixes ($2), and the prices of the staged rates.
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM rate WHERE version_id = $1 AND prefix = ANY ($2)
UNION ALL
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM staged_rate
WHERE prefix = ANY ($2) AND NOT coalesce((terms->>'withdrawn')::boolean, false)
