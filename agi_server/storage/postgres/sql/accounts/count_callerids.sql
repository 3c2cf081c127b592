SELECT count(*) FROM callerid WHERE account_id = $1
