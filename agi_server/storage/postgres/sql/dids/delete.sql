-- Delete a DID by its id, destinations too.
DELETE FROM did WHERE id = $1
