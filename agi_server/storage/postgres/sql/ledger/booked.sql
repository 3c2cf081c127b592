-- What was booked under a movement id ($2) of an account ($1).
SELECT debit, credit, amount_micros FROM ledger_entry
WHERE account_id = $1 AND movement_id = $2 AND kind <> 'call' AND part = 0
