-- DIDs that end so ($1) and take calls now ($2), as in find_account.
SELECT array_agg(number) FROM did
WHERE right(number, 7) = $1 AND account_id IS NOT NULL AND active
  AND coalesce(valid_from <= $2, true) AND coalesce(valid_until >= $2, true)
