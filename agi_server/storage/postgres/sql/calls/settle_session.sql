-- Post the charge, write the CDR, release the hold, the slot and what the call did not use ($17) of
-- its part of a package: once, for only an open session of this uniqueid is settled, and only with
-- the limit ($18) that it has now: a rolling hold may have been extended. What the hold and the
-- account's funds do not cover goes to the overrun account, so that no balance falls below its
-- limit. No row: not open, extended meanwhile, or not this call.
WITH session AS (
    UPDATE call_session SET
        state = 'settled', settled_at = $4, dialstatus = $5, hangupcause = $6, route = $7,
        answered_at = $8, ended_at = $9, talk_ms = $10, billed_seconds = $11, cost_micros = $12,
        buy_cost_micros = $13, price_lines = $14, witness = $15, package_used = $17,
        review = nullif(concat_ws('; ', review, $16::text), '')
    WHERE account_id = $1 AND call_id = $2 AND uniqueid = $3 AND state = 'open' AND limit_ms = $18
    RETURNING account_id, call_id, held_micros, authorized_at, currency,
              package_id, package_begins_on, package_held
), charge AS (
    SELECT a.id, a.balance_micros, a.held_micros - s.held_micros AS held_micros, a.open_calls,
           least($12::bigint, greatest(0,
               a.balance_micros + a.credit_limit_micros - a.held_micros + s.held_micros))
               AS debit_micros
    FROM account a JOIN session s ON s.account_id = a.id
    FOR UPDATE OF a
), moved AS (
    -- From the row as charge has locked it: an UPDATE checks the table's constraints first on the
    -- version of its snapshot, which would fit the debit of a newer one badly.
    UPDATE account a SET
        balance_micros = c.balance_micros - c.debit_micros,
        held_micros = c.held_micros,
        open_calls = c.open_calls - 1,
        first_use_at = CASE WHEN $11::integer > 0 THEN coalesce(a.first_use_at, $4)
                            ELSE a.first_use_at END,
        -- What calls cost in the running hour and day; both begin with the first charge after the
        -- last ones.
        hour_started_at = CASE WHEN $12::bigint = 0
                                    OR a.hour_started_at > $4::timestamptz - interval '1 hour'
                               THEN a.hour_started_at ELSE $4 END,
        spent_micros_in_hour = $12::bigint + CASE
            WHEN $12::bigint = 0 OR a.hour_started_at > $4::timestamptz - interval '1 hour'
            THEN a.spent_micros_in_hour ELSE 0 END,
        day_started_at = CASE WHEN $12::bigint = 0
                                   OR a.day_started_at > $4::timestamptz - interval '1 day'
                              THEN a.day_started_at ELSE $4 END,
        spent_micros_in_day = $12::bigint + CASE
            WHEN $12::bigint = 0 OR a.day_started_at > $4::timestamptz - interval '1 day'
            THEN a.spent_micros_in_day ELSE 0 END
    FROM charge c
    WHERE a.id = c.id
    RETURNING a.id, a.balance_micros, a.open_calls, a.account_number, c.debit_micros
), package AS (
    -- After the account's row, as everywhere: so nobody waits in a circle.
    UPDATE package_use u SET taken = u.taken - s.package_held + $17
    FROM session s, moved m
    WHERE u.account_id = m.id AND u.package_id = s.package_id AND u.begins_on = s.package_begins_on
), posted AS (
    INSERT INTO ledger_entry (
        account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
        balance_micros, created_at, created_by)
    SELECT s.account_id, date_trunc('month', s.authorized_at AT TIME ZONE 'UTC')::date,
           'call:' || s.call_id, p.part, 'call', p.debit, 'revenue', p.amount_micros, s.currency,
           m.balance_micros, $4, 'agi-server'
    FROM session s, moved m, LATERAL (
        VALUES (0, 'customer', m.debit_micros), (1, 'overrun', $12::bigint - m.debit_micros)
    ) AS p (part, debit, amount_micros)
    WHERE p.amount_micros > 0
)
SELECT balance_micros, open_calls, account_number, debit_micros FROM moved
