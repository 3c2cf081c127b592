-- Delete a group ($1) that no account belongs to. No row: one does.
DELETE FROM account_group g
WHERE g.id = $1 AND NOT EXISTS (SELECT FROM account a WHERE a.group_id = g.id)
RETURNING id
