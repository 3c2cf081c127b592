-- The last balance of an account ($1) in each step of time ($3) since ($2).
SELECT DISTINCT ON (step) date_bin($3, created_at, $2) AS step, created_at, balance_micros
FROM ledger_entry
WHERE account_id = $1 AND created_at >= $2
ORDER BY step, created_at DESC, movement_id DESC, part DESC
