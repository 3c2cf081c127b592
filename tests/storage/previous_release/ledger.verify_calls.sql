-- Settled calls whose entries do not add up to their cost, and charges without a settled call.
SELECT coalesce(c.account_id, e.account_id) AS account_id,
       coalesce(c.call_id, substr(e.movement_id, 6)) AS call_id,
       coalesce(c.cost_micros, 0) AS cost_micros,
       coalesce(e.charged_micros, 0)::bigint AS charged_micros
FROM (
    SELECT account_id, call_id, cost_micros FROM call_session WHERE state = 'settled'
) c
FULL JOIN (
    SELECT account_id, movement_id, sum(amount_micros) AS charged_micros
    FROM ledger_entry WHERE kind = 'call' GROUP BY account_id, movement_id
) e ON e.account_id = c.account_id AND e.movement_id = 'call:' || c.call_id
WHERE coalesce(c.cost_micros, 0) <> coalesce(e.charged_micros, 0)
ORDER BY 1, 2
