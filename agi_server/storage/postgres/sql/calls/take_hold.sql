-- Reserve money, one unit of simultaneous access and a part of a package ($25, null: none; of the
-- period from $26 to before $27, $29 of its $28 units), and open the session: all or nothing.
-- The conditions are checked on the account's row while it is locked, so parallel calls, here or
-- on other daemons, never hold the same cent and never exceed the limit. No row: refused. A package that has
-- less left violates package_use_within_amount. $32 is the direction, $33 the DID.
WITH taken AS (
    UPDATE account SET
        held_micros = held_micros + $3,
        open_calls = open_calls + 1,
        second_started_at = CASE WHEN abs(extract(epoch FROM second_started_at - $4)) < 1
                                 THEN second_started_at ELSE $4 END,
        calls_in_second = CASE WHEN abs(extract(epoch FROM second_started_at - $4)) < 1
                               THEN calls_in_second + 1 ELSE 1 END
    WHERE id = $1
      AND status = 1
      AND (NOT locked OR $32::text = 'inbound') -- the lock is of outgoing calls
      -- The second part of a forwarded call goes with the first, which has a unit; one more may be
      -- open where the next destination is tried while the part to the last one is just ending.
      AND (simultaneous_access = 0
           OR CASE WHEN $8::text = 'forward'
                   THEN open_calls > open_forwards AND open_forwards <= open_calls - open_forwards
                   ELSE open_calls - open_forwards < simultaneous_access END)
      AND (calls_per_second = 0
           OR $8 = 'forward'
           OR second_started_at IS NULL
           -- Longer ago, or later than now: then the clock has been set back since.
           OR abs(extract(epoch FROM second_started_at - $4)) >= 1
           OR calls_in_second < calls_per_second)
      AND balance_micros + credit_limit_micros - held_micros >= $3
      -- Even if all that is held is spent, hour and day stay below their caps. What is free may go.
      AND ($3 = 0 OR max_cost_micros_per_hour IS NULL
           OR held_micros + $3 + CASE WHEN hour_started_at > $4::timestamptz - interval '1 hour'
                                      THEN spent_micros_in_hour ELSE 0 END
              <= max_cost_micros_per_hour)
      AND ($3 = 0 OR max_cost_micros_per_day IS NULL
           OR held_micros + $3 + CASE WHEN day_started_at > $4::timestamptz - interval '1 day'
                                      THEN spent_micros_in_day ELSE 0 END
              <= max_cost_micros_per_day)
    RETURNING id, open_calls
), opened AS (
    INSERT INTO call_session (
        account_id, call_id, state, held_micros, authorized_at, server, uniqueid, channel,
        identified_by, callerid, dialled, destination, expires_at, limit_ms, currency, plan_id,
        version_id, prefix, rate_effective_from, trunk_ids, discount_basis_points, sell_price,
        exchange, routes, answer_by, package_id, package_begins_on, package_held,
        cap_ms, extend_at, direction, did)
    SELECT id, $2, 'open', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
           $19, $20, $21, $22, $23, $24, $25, $26, $29, $30, $31, $32,
           $33
    FROM taken
), package AS (
    INSERT INTO package_use AS u (account_id, package_id, begins_on, ends_on, amount, taken)
    SELECT id, $25, $26, $27, $28, $29 FROM taken WHERE $25::bigint IS NOT NULL
    ON CONFLICT (account_id, begins_on, package_id)
    DO UPDATE SET amount = excluded.amount, taken = u.taken + excluded.taken
)
SELECT open_calls FROM taken
