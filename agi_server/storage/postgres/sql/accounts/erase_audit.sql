-- Keep of an account ($1) that these fields ($2) were changed, but not what they were, and of no
-- change why: what somebody typed there may tell of the person.
UPDATE account_audit SET
    old = CASE WHEN field = ANY ($2) THEN NULL ELSE old END,
    new = CASE WHEN field = ANY ($2) THEN NULL ELSE new END,
    reason = NULL
WHERE account_id = $1 AND (field = ANY ($2) OR reason IS NOT NULL)
