-- Release everything an open session reserved, for a call that was never dialled ($3: why).
-- No row: it was not open.
WITH voided AS (
    UPDATE call_session SET state = 'void', reason = $3, settled_at = $4
    WHERE account_id = $1 AND call_id = $2 AND state = 'open'
    RETURNING account_id, held_micros
)
UPDATE account a SET held_micros = a.held_micros - v.held_micros, open_calls = a.open_calls - 1
FROM voided v WHERE a.id = v.account_id
RETURNING a.open_calls
