-- Nobody else changes the group ($1) until the transaction ends; customers join it meanwhile.
SELECT name FROM account_group WHERE id = $1 FOR NO KEY UPDATE
