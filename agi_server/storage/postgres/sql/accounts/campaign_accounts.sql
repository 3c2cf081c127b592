-- The accounts of a campaign ($1) after an id ($2), at most $3. Cancelled ones are left out.
SELECT a.id
FROM customer c JOIN account a ON a.id = c.account_id
WHERE c.campaign_id = $1 AND c.account_id > $2 AND a.status <> 0
ORDER BY c.account_id LIMIT $3
