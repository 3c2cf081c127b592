-- Keeps others from changing a DID until the transaction ends.
SELECT id FROM did WHERE number = $1 FOR UPDATE
