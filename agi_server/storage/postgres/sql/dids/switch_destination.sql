-- Switch a destination of a DID ($1) on or off, by its priority ($2).
UPDATE did_destination SET active = $3 WHERE did_id = $1 AND priority = $2
