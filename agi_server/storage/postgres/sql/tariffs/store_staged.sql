-- In the order of the index, which is then written from end to end.
INSERT INTO rate (version_id, prefix, destination, price_micros_per_minute, initial_s, increment_s,
                  connection_fee_micros, minimum_charge_micros,
                  buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from,
                  terms)
SELECT $1, prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM staged_rate ORDER BY prefix
