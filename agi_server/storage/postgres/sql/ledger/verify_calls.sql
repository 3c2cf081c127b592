-- Of some accounts ($1): settled calls whose entries do not add up to their cost, and charges
-- without a settled call.
SELECT coalesce(c.account_id, e.account_id) AS account_id,
       coalesce(c.call_id, e.call_id) AS call_id,
       coalesce(c.cost_micros, 0) AS cost_micros,
       coalesce(e.charged_micros, 0)::bigint AS charged_micros
FROM (
    SELECT account_id, call_id, coalesce(corrected_cost_micros, cost_micros) AS cost_micros
    FROM call_session WHERE state = 'settled' AND account_id = ANY ($1::bigint[])
) c
FULL JOIN (
    SELECT account_id, split_part(movement_id, ':', 2) AS call_id,
           sum(CASE WHEN credit = 'revenue' THEN amount_micros ELSE -amount_micros END)
               AS charged_micros
    FROM ledger_entry
    WHERE account_id = ANY ($1::bigint[])
      AND (kind = 'call' OR (kind = 'correction' AND movement_id LIKE 'correction:%:%'))
    GROUP BY account_id, split_part(movement_id, ':', 2)
) e ON e.account_id = c.account_id AND e.call_id = c.call_id
WHERE coalesce(c.cost_micros, 0) <> coalesce(e.charged_micros, 0)
ORDER BY 1, 2
