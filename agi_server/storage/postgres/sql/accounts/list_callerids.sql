-- The CallerIDs of an account ($1), or of all.
SELECT c.number, c.account_id, a.account_number, c.active
FROM callerid c JOIN account a ON a.id = c.account_id
WHERE $1::bigint IS NULL OR c.account_id = $1
ORDER BY c.account_id, c.number
