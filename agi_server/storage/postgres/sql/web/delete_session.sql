-- One session ($1), and all that have expired ($2 now).
DELETE FROM operator_session WHERE token_sha256 = $1 OR expires_at <= $2
