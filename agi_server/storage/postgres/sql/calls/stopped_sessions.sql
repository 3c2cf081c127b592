-- Open calls of accounts that may not call any more; the own lock is of outgoing calls only.
SELECT s.account_id, s.call_id, s.uniqueid, s.server, a.account_number, a.status, a.locked
FROM call_session s JOIN account a ON a.id = s.account_id
WHERE s.state = 'open' AND (a.status <> 1 OR (a.locked AND s.direction <> 'inbound'))
