-- What an account ($1) has left, its caps as in find_account, and its calls in progress.
SELECT balance_micros + credit_limit_micros - held_micros AS available_micros, open_calls,
       held_micros, max_cost_micros_per_call, max_cost_micros_per_hour, max_cost_micros_per_day,
       hour_started_at, spent_micros_in_hour, day_started_at, spent_micros_in_day
FROM account WHERE id = $1
