UPDATE account_group SET restriction = $2 WHERE id = $1
