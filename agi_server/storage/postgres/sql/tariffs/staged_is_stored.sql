-- Whether the staged rates are those of a version ($1): the same file may have been read otherwise.
SELECT (SELECT count(*) FROM staged_rate) = (SELECT count(*) FROM rate WHERE version_id = $1)
   AND NOT EXISTS (
       SELECT * FROM staged_rate
       EXCEPT
       SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
              connection_fee_micros, minimum_charge_micros,
              buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
       FROM rate WHERE version_id = $1)
