-- Another secret ($2) for an IAX user ($1).
UPDATE asterisk.iaxfriends SET secret = $2 WHERE name = $1
