-- What an account ($1) has left, and its calls in progress.
SELECT balance_micros + credit_limit_micros - held_micros AS available_micros, open_calls
FROM account WHERE id = $1
