-- Ledger entries of an account ($1), newest first; those before one ($2 its time, $3 its movement,
-- $4 its part; null: from the newest), at most $5.
SELECT period, movement_id, part, kind, debit, credit, amount_micros, currency, balance_micros,
       created_at, created_by, note
FROM ledger_entry
WHERE account_id = $1
  AND ($2::timestamptz IS NULL
       OR (created_at <= $2 AND (created_at, movement_id, part) < ($2, $3::text, $4::smallint)))
ORDER BY created_at DESC, movement_id DESC, part DESC LIMIT $5
