-- The balance of an account ($1) before a time ($2). No row: it had no entry by then.
SELECT balance_micros FROM ledger_entry
WHERE account_id = $1 AND created_at < $2
ORDER BY created_at DESC, movement_id DESC, part DESC LIMIT 1
