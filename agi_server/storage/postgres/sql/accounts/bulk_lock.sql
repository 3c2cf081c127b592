-- Keeps others from changing accounts ($1) until the transaction ends; in one order, so that two
-- such changes do not wait for each other.
SELECT id FROM account WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
