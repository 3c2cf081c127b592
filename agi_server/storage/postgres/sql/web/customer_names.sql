-- What the customers with an id ($1) are called.
SELECT a.id, a.account_number, c.company_name, c.first_name, c.last_name
FROM account a JOIN customer c ON c.account_id = a.id
WHERE a.id = ANY($1::bigint[])
