-- The rates of a version ($1) for people; with $2 only those with terms that have no column.
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM rate WHERE version_id = $1 AND (NOT $2 OR terms IS NOT NULL)
ORDER BY prefix COLLATE "C", effective_from NULLS FIRST
