-- Hold $5 instead of what an open call holds, which then pays up to $4 instead of $3: once, for only
-- a call with that limit is extended, and only if the account may call and its funds pay for it, on
-- its row while that is locked. $6: when to look after it again. No row: nothing was changed.
WITH session AS (
    SELECT account_id, call_id, held_micros FROM call_session
    WHERE account_id = $1 AND call_id = $2 AND state = 'open' AND limit_ms = $3
    FOR UPDATE
), moved AS (
    UPDATE account a SET held_micros = a.held_micros + ($5::bigint - s.held_micros)
    FROM session s
    WHERE a.id = s.account_id
      AND a.status = 1
      AND NOT a.locked
      AND a.balance_micros + a.credit_limit_micros - a.held_micros >= $5::bigint - s.held_micros
    RETURNING a.id
)
UPDATE call_session c SET
    limit_ms = $4, held_micros = $5, extend_at = $6,
    expires_at = c.expires_at + ($4::bigint - $3::bigint) * interval '1 millisecond'
FROM moved m
WHERE c.account_id = m.id AND c.call_id = $2
RETURNING c.limit_ms
