-- Where an import puts the rates of a sheet until they are compared; gone with the transaction.
CREATE TEMP TABLE staged_rate ON COMMIT DROP AS
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM rate WITH NO DATA
