-- One more place where a DID ($1) rings. No row: the priority is taken.
INSERT INTO did_destination (did_id, priority, kind, number)
VALUES ($1, $2, $3, $4)
ON CONFLICT (did_id, priority) DO NOTHING
RETURNING priority
