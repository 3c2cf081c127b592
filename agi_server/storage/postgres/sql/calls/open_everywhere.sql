-- All open sessions with the channel each is of, of one account ($1) or of all.
SELECT account_id, call_id, uniqueid, server, expires_at FROM call_session
WHERE state = 'open' AND ($1::bigint IS NULL OR account_id = $1)
