SELECT account_id FROM callerid WHERE number = $1
