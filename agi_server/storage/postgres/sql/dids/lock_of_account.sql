-- Keeps others from changing an account's DIDs until the transaction ends. Before the account's own
-- row is locked, as whoever changes a DID does, so that two such changes do not wait for each other.
SELECT number FROM did WHERE account_id = $1 ORDER BY id FOR UPDATE
