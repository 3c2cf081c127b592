-- Remove a rule ($2), or all.
DELETE FROM account_restriction WHERE account_id = $1 AND ($2::text IS NULL OR rule = $2) RETURNING rule
