-- The open sessions of channels ($1: their uniqueids), in the order in which they were authorized.
SELECT account_id, call_id, uniqueid, server FROM call_session
WHERE state = 'open' AND uniqueid = ANY ($1) ORDER BY authorized_at
