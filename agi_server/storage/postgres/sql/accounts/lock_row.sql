-- Keeps others from adding to an account until the transaction ends.
SELECT id FROM account WHERE id = $1 FOR UPDATE
