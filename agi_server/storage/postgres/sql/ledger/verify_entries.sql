-- Of one account ($1): entries that do not move an amount from one side to another, and those that
-- are not in its currency.
SELECT e.movement_id, e.part, e.debit, e.credit, e.amount_micros, e.currency,
       e.amount_micros <= 0 OR e.debit = e.credit AS unbalanced, a.currency AS account_currency
FROM ledger_entry e LEFT JOIN account a ON a.id = e.account_id
WHERE e.account_id = $1
  AND (e.amount_micros <= 0 OR e.debit = e.credit OR e.currency <> a.currency)
ORDER BY e.created_at, e.movement_id, e.part
