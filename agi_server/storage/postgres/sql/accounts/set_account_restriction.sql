UPDATE account SET restriction = $2 WHERE id = $1
