-- The account ($1) as it is now ($2), when the hold was refused although the earlier read allowed it;
-- package_use as in find_account.
SELECT status, locked, balance_micros, held_micros, credit_limit_micros, open_calls,
       open_forwards,
       simultaneous_access, calls_per_second, second_started_at, calls_in_second,
       max_cost_micros_per_call, max_cost_micros_per_hour, max_cost_micros_per_day,
       hour_started_at, spent_micros_in_hour, day_started_at, spent_micros_in_day,
    (SELECT jsonb_agg(jsonb_build_array(u.package_id, u.begins_on, u.taken)) FROM package_use u
     WHERE u.account_id = account.id
       AND u.begins_on > ($2::timestamptz AT TIME ZONE 'UTC')::date - 33
       AND u.ends_on >= ($2::timestamptz AT TIME ZONE 'UTC')::date) AS package_use
FROM account WHERE id = $1
