-- Note on an open call why it was hung up ($3), once. No row: that was noted, or it has ended.
UPDATE call_session SET reason = $3
WHERE account_id = $1 AND call_id = $2 AND state = 'open' AND reason IS NULL
RETURNING call_id
