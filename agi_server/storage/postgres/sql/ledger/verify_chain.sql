-- Of one account ($1): balances that an entry left and none began with, and those that an entry
-- began with and none had left. The first entry begins with 0, the last leaves the sum.
WITH entry AS (
    SELECT movement_id, created_at, balance_micros AS after_micros,
           balance_micros - CASE WHEN credit = 'customer' THEN amount_micros
                                 ELSE -amount_micros END AS before_micros
    FROM ledger_entry WHERE account_id = $1 AND 'customer' IN (debit, credit)
), left_behind AS (
    SELECT movement_id, created_at, micros,
           row_number() OVER (PARTITION BY micros ORDER BY created_at) AS n
    FROM (SELECT movement_id, created_at, after_micros AS micros FROM entry
          UNION ALL SELECT NULL, '-infinity', 0) x
), begun_with AS (
    SELECT movement_id, created_at, micros,
           row_number() OVER (PARTITION BY micros ORDER BY created_at) AS n
    FROM (SELECT movement_id, created_at, before_micros AS micros FROM entry
          UNION ALL SELECT NULL, 'infinity', coalesce(sum(after_micros - before_micros), 0)
          FROM entry) x
)
SELECT l.n IS NOT NULL AS left_behind, coalesce(l.movement_id, b.movement_id) AS movement_id,
       coalesce(l.micros, b.micros)::bigint AS micros
FROM left_behind l FULL JOIN begun_with b ON b.micros = l.micros AND b.n = l.n
WHERE l.n IS NULL OR b.n IS NULL
ORDER BY coalesce(l.created_at, b.created_at)
