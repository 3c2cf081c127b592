-- A CallerID that is switched off no longer identifies anybody.
UPDATE callerid SET active = $2 WHERE number = $1 RETURNING account_id
