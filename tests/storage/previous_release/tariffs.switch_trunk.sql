UPDATE trunk SET enabled = $2 WHERE name = $1 RETURNING id, name, dial, enabled
