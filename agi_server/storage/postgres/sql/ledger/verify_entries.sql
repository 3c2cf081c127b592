-- Of one account ($1): entries that do not move an amount from one side to another.
SELECT movement_id, part, debit, credit, amount_micros FROM ledger_entry
WHERE account_id = $1 AND (amount_micros <= 0 OR debit = credit)
ORDER BY created_at, movement_id, part
