DELETE FROM callerid WHERE number = $1 RETURNING account_id
