-- The same password under today's parameters of the hash.
UPDATE operator SET password_hash = $2 WHERE id = $1
