-- What each side of the ledger has given (debit) and received (credit), by currency.
SELECT side.account, e.currency,
       sum(CASE WHEN side.debit THEN e.micros ELSE 0 END)::numeric AS debit_micros,
       sum(CASE WHEN side.debit THEN 0 ELSE e.micros END)::numeric AS credit_micros
FROM (
    SELECT currency, debit, credit, sum(amount_micros) AS micros
    FROM ledger_entry WHERE $1::bigint IS NULL OR account_id = $1 GROUP BY 1, 2, 3
) e, LATERAL (VALUES (e.debit, true), (e.credit, false)) AS side (account, debit)
GROUP BY 1, 2 ORDER BY 2, 1
