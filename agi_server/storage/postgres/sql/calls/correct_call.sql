-- Book the difference to a new cost ($3) of a settled call, by a movement of its own: more is paid
-- by the customer as far as the funds go, the rest is overrun; less pays back overrun first. Nothing
-- happens (no row) unless the call still costs $4, took $10 of its package (null: none) and was
-- bought for $12, so doing it again does nothing; then it took $9 and was bought for $11. What is
-- left of the package must suffice for it, or package_use_within_amount is violated. The call names
-- from now on what it is priced by.
-- $1 account, $2 call, $5 lines, $6 at, $7 by, $8 why, $13 version, $14 prefix and $15 date of the
-- rate, $16 routes, $17 billed seconds, $18 factor of the currency (null: 1)
WITH session AS (
    UPDATE call_session SET corrected_cost_micros = $3, price_lines = $5,
        package_used = $9, buy_cost_micros = $11, billed_seconds = $17,
        version_id = $13, prefix = $14, rate_effective_from = $15, routes = $16,
        exchange = $18
    WHERE account_id = $1 AND call_id = $2 AND state = 'settled'
      AND coalesce(corrected_cost_micros, cost_micros) = $4
      AND package_used IS NOT DISTINCT FROM $10
      AND coalesce(buy_cost_micros, 0) = $12
    RETURNING account_id, call_id, authorized_at, currency,
              package_id, package_begins_on, package_held
), booked AS (
    SELECT count(DISTINCT e.movement_id) FILTER (WHERE e.kind = 'correction') AS corrections,
           coalesce(sum(CASE WHEN e.debit = 'overrun' THEN e.amount_micros
                             WHEN e.credit = 'overrun' THEN -e.amount_micros END), 0)::bigint
               AS overrun_micros
    FROM session s JOIN ledger_entry e
      ON e.account_id = s.account_id
     AND e.period = date_trunc('month', s.authorized_at AT TIME ZONE 'UTC')::date
     AND (e.movement_id = 'call:' || s.call_id
          OR e.movement_id LIKE 'correction:' || s.call_id || ':%')
), parts AS (
    SELECT a.id, a.balance_micros, b.corrections,
           CASE WHEN $3::bigint > $4::bigint
                THEN least($3 - $4, greatest(0,
                    a.balance_micros + a.credit_limit_micros - a.held_micros))
                ELSE least(0, $3 - $4 + b.overrun_micros) END AS customer_micros
    FROM session s JOIN account a ON a.id = s.account_id, booked b
    FOR UPDATE OF a
), moved AS (
    -- From the row as it was locked, as in settle_session.
    UPDATE account a SET balance_micros = p.balance_micros - p.customer_micros
    FROM parts p WHERE a.id = p.id
    RETURNING a.id, a.balance_micros, p.customer_micros, p.corrections
), package AS (
    UPDATE package_use u SET taken = u.taken + $9 - coalesce($10, s.package_held)
    FROM session s, moved m
    WHERE u.account_id = m.id AND u.package_id = s.package_id AND u.begins_on = s.package_begins_on
      AND $9 <> coalesce($10, s.package_held)
), posted AS (
    INSERT INTO ledger_entry (
        account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
        balance_micros, created_at, created_by, note)
    SELECT s.account_id, date_trunc('month', s.authorized_at AT TIME ZONE 'UTC')::date,
           'correction:' || s.call_id || ':' || m.corrections + 1, p.part, 'correction',
           CASE WHEN p.amount_micros > 0 THEN p.who ELSE 'revenue' END,
           CASE WHEN p.amount_micros > 0 THEN 'revenue' ELSE p.who END,
           abs(p.amount_micros), s.currency, m.balance_micros, $6, $7, $8
    FROM session s, moved m, LATERAL (
        VALUES (0, 'customer', m.customer_micros),
               (1, 'overrun', $3::bigint - $4::bigint - m.customer_micros)
    ) AS p (part, who, amount_micros)
    WHERE p.amount_micros <> 0
)
SELECT customer_micros, balance_micros FROM moved
