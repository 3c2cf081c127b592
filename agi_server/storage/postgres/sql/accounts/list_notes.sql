-- The history of an account ($1), newest first: those before an id ($2), at most $3.
SELECT id, account_id, written_at, author, note
FROM account_note
WHERE account_id = $1 AND ($2::bigint IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3
