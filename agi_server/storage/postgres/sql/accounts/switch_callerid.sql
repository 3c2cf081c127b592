-- A CallerID that is switched off no longer identifies anybody. No row: it is so already.
UPDATE callerid SET active = $2 WHERE number = $1 AND active <> $2 RETURNING account_id
