-- The open sessions of all accounts, to rebuild Redis from.
SELECT account_id, call_id, expires_at FROM call_session WHERE state = 'open'
