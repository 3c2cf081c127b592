-- What an account's ($1) calls have taken of packages in the periods that may be running at a time
-- ($2), as in find_account.
SELECT jsonb_agg(jsonb_build_array(package_id, begins_on, taken)) FROM package_use
WHERE account_id = $1
  AND begins_on > ($2::timestamptz AT TIME ZONE 'UTC')::date - 33
  AND ends_on >= ($2::timestamptz AT TIME ZONE 'UTC')::date
