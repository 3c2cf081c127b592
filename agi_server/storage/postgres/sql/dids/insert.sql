-- A new DID. No row: the number is there already.
INSERT INTO did (number, account_id, group_id, plan_id, valid_from, valid_until, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (number) DO NOTHING
RETURNING id
