INSERT INTO account_note (account_id, written_at, author, note) VALUES ($1, $2, $3, $4) RETURNING id
