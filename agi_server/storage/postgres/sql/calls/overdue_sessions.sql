-- Open sessions that must be over by now ($1), of one account ($2) or of all, oldest first: all of
-- them, since those that cannot be ended now come first each time.
SELECT account_id, call_id, uniqueid, server FROM call_session
WHERE state = 'open' AND expires_at < $1 AND ($2::bigint IS NULL OR account_id = $2)
ORDER BY expires_at
