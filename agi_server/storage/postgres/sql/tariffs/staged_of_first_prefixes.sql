-- The rates of the first so many ($1) staged prefixes.
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM staged_rate
WHERE prefix IN (SELECT prefix FROM staged_rate
                 GROUP BY prefix ORDER BY prefix COLLATE "C" LIMIT $1)
