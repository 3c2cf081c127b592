-- The staged rates are a whole sheet, which comes into force at a time ($2). Of a prefix of which
-- none has begun by then the rates of a version ($1) stay until the first of them begins: the one
-- in force at that time and those that begin meanwhile.
INSERT INTO staged_rate
SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,
       connection_fee_micros, minimum_charge_micros,
       buy_price_micros_per_minute, buy_initial_s, buy_increment_s, effective_from, terms
FROM (
    SELECT r.*, lead(r.effective_from) OVER (PARTITION BY r.prefix
                                             ORDER BY r.effective_from NULLS FIRST) AS superseded_at
    FROM rate r
    JOIN (
        SELECT prefix, min(coalesce(effective_from, '-infinity')) AS begins FROM staged_rate
        GROUP BY prefix HAVING min(coalesce(effective_from, '-infinity')) > $2
    ) ahead ON ahead.prefix = r.prefix AND coalesce(r.effective_from, '-infinity') < ahead.begins
    WHERE r.version_id = $1
) kept
WHERE coalesce(superseded_at > $2, true)
  AND NOT (coalesce(effective_from <= $2, true) AND coalesce((terms->>'withdrawn')::boolean, false))
