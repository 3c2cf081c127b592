-- Keep of an account ($1) that these fields ($2) were changed, but not what they were.
UPDATE account_audit SET old = NULL, new = NULL WHERE account_id = $1 AND field = ANY ($2)
