-- Remove a destination of a DID ($1) by its priority ($2), or all of them (null).
DELETE FROM did_destination WHERE did_id = $1 AND ($2::smallint IS NULL OR priority = $2)
