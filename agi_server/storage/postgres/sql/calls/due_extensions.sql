-- Open calls on a rolling hold that supervision has to look after by now ($1), and those of channels
-- ($2) that were just answered: all of them, since those of an Asterisk that is away come first each
-- time.
SELECT account_id, call_id, uniqueid, server FROM call_session
WHERE state = 'open' AND (extend_at <= $1 OR (uniqueid = ANY ($2) AND extend_at IS NOT NULL))
ORDER BY extend_at
