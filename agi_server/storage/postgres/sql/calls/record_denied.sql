-- A refused call leaves a CDR too: an operator wants to see why.
INSERT INTO call_session (
    account_id, call_id, state, reason, server, uniqueid, channel, identified_by, callerid, dialled,
    destination, authorized_at, prefix, plan_id)
VALUES ($1, $2, 'denied', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
