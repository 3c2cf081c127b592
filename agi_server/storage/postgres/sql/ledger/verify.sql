-- Every account whose stored figures differ from what its entries and open sessions add up to.
SELECT a.id AS account_id,
       a.balance_micros, coalesce(e.sum_micros, 0)::bigint AS entries_micros,
       a.held_micros, coalesce(s.held_micros, 0)::bigint AS sessions_held_micros,
       a.open_calls, coalesce(s.open_calls, 0)::integer AS open_sessions,
       a.credit_limit_micros
FROM account a
LEFT JOIN (
    SELECT account_id,
           sum(CASE WHEN credit = 'customer' THEN amount_micros ELSE 0 END)
           - sum(CASE WHEN debit = 'customer' THEN amount_micros ELSE 0 END) AS sum_micros
    FROM ledger_entry GROUP BY account_id
) e ON e.account_id = a.id
LEFT JOIN (
    SELECT account_id, sum(held_micros) AS held_micros, count(*) AS open_calls
    FROM call_session WHERE state = 'open' GROUP BY account_id
) s ON s.account_id = a.id
WHERE a.balance_micros <> coalesce(e.sum_micros, 0)
   OR a.held_micros <> coalesce(s.held_micros, 0)
   OR a.open_calls <> coalesce(s.open_calls, 0)
   OR a.balance_micros - a.held_micros < -a.credit_limit_micros
ORDER BY a.id
