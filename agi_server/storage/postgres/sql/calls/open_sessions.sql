-- The open sessions of one account, to rebuild its slots from.
SELECT call_id, expires_at FROM call_session WHERE account_id = $1 AND state = 'open'
