-- The newest entries of an account ($1) or of all, newest first.
SELECT account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
       balance_micros, created_at, created_by, note
FROM ledger_entry
WHERE $1::bigint IS NULL OR account_id = $1
ORDER BY created_at DESC, movement_id, part LIMIT $2
