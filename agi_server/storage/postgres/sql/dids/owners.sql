-- Accounts by number ($1) or id ($2).
SELECT id, account_number FROM account
WHERE account_number = ANY($1::text[]) OR id = ANY($2::bigint[])
