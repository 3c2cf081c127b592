-- A refused call leaves a CDR too: an operator wants to see why.
INSERT INTO call_session (
    account_id, call_id, state, reason, server, uniqueid, channel, identified_by, callerid, dialled,
    destination, authorized_at, prefix, plan_id, currency, direction, did)
VALUES ($1, $2, 'denied', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        (SELECT currency FROM account WHERE id = $1),
        CASE WHEN $7 = 'did' THEN 'inbound' ELSE 'outbound' END,
        CASE WHEN $7 = 'did' THEN $10 END)
