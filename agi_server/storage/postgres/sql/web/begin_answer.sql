-- Begin to answer a request that moves money ($1 operator, $2 key, $3 hash of what is asked, $4 now).
-- No row: it is answered already; while somebody else is answering it, this waits.
INSERT INTO answered_request (operator_id, key, request_sha256, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (operator_id, key) DO NOTHING
RETURNING key
