-- The numbers of an account's DIDs.
SELECT number FROM did WHERE account_id = $1 ORDER BY number
