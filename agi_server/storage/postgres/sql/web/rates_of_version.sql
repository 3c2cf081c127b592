-- Rates of a version of a card ($1 name, $2 version) whose prefix begins with some digits ($3) or is
-- the beginning of them; those after a row ($4 its prefix, $5 its date), at most $6.
SELECT r.prefix, r.destination, r.price_micros_per_minute, r.initial_s, r.increment_s,
       r.connection_fee_micros, r.minimum_charge_micros, r.buy_price_micros_per_minute,
       r.effective_from, r.terms IS NOT NULL AS more_terms
FROM rate r
WHERE r.version_id = (SELECT v.id FROM rate_card_version v JOIN rate_card c ON c.id = v.card_id
                      WHERE c.name = $1 AND v.version = $2)
  AND ($3 = '' OR starts_with(r.prefix, $3) OR starts_with($3, r.prefix))
  AND (r.prefix, coalesce(r.effective_from, '0001-01-01 00:00+00')) > ($4, $5::timestamptz)
ORDER BY r.prefix, coalesce(r.effective_from, '0001-01-01 00:00+00') LIMIT $6
