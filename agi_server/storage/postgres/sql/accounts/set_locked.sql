-- The customer's own lock on outgoing calls. No row: it is so already.
UPDATE account SET locked = $2 WHERE id = $1 AND locked <> $2 RETURNING id
