-- The account as it is now, when the hold was refused although the earlier read allowed it.
SELECT status, locked, balance_micros, held_micros, credit_limit_micros, open_calls,
       simultaneous_access, calls_per_second, second_started_at, calls_in_second
FROM account WHERE id = $1
