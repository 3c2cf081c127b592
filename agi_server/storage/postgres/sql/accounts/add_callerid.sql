-- A CallerID belongs to one account only. No row: it belongs to one already.
INSERT INTO callerid (number, account_id) VALUES ($1, $2)
ON CONFLICT (number) DO NOTHING
RETURNING number
