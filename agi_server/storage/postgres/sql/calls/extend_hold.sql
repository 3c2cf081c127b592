-- Hold $5 instead of what an open call holds, which then pays up to $4 instead of $3: once, for only
-- a call with that limit is extended, and only if the account may call and its funds and caps pay for
-- it, on its row while that is locked. $6: when to look after it again, $7 now. No row: nothing was
-- changed.
WITH session AS (
    SELECT account_id, call_id, direction, held_micros, $5::bigint - held_micros AS further_micros
    FROM call_session
    WHERE account_id = $1 AND call_id = $2 AND state = 'open' AND limit_ms = $3
    FOR UPDATE
), moved AS (
    UPDATE account a SET held_micros = a.held_micros + s.further_micros
    FROM session s
    WHERE a.id = s.account_id
      AND a.status = 1
      AND (NOT a.locked OR s.direction = 'inbound')
      AND a.balance_micros + a.credit_limit_micros - a.held_micros >= s.further_micros
      -- As in take_hold.
      AND (s.further_micros = 0 OR a.max_cost_micros_per_hour IS NULL
           OR a.held_micros + s.further_micros
              + CASE WHEN a.hour_started_at > $7::timestamptz - interval '1 hour'
                     THEN a.spent_micros_in_hour ELSE 0 END <= a.max_cost_micros_per_hour)
      AND (s.further_micros = 0 OR a.max_cost_micros_per_day IS NULL
           OR a.held_micros + s.further_micros
              + CASE WHEN a.day_started_at > $7::timestamptz - interval '1 day'
                     THEN a.spent_micros_in_day ELSE 0 END <= a.max_cost_micros_per_day)
    RETURNING a.id
)
UPDATE call_session c SET
    limit_ms = $4, held_micros = $5, extend_at = $6,
    expires_at = c.expires_at + ($4::bigint - $3::bigint) * interval '1 millisecond'
FROM moved m
WHERE c.account_id = m.id AND c.call_id = $2
RETURNING c.limit_ms
