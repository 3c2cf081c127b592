DELETE FROM account_note WHERE account_id = $1
