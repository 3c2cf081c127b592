-- When to look ($4) after an open call on a rolling hold again, unless it was extended since ($3).
UPDATE call_session SET extend_at = $4
WHERE account_id = $1 AND call_id = $2 AND state = 'open' AND limit_ms = $3
