-- Open sessions that must be over by now ($1), of one account ($2) or of all, oldest first.
SELECT account_id, call_id, uniqueid, server FROM call_session
WHERE state = 'open' AND expires_at < $1 AND ($2::bigint IS NULL OR account_id = $2)
ORDER BY expires_at LIMIT 500
