-- Change a DID ($1: its id), all of it.
UPDATE did SET account_id = $2, group_id = $3, plan_id = $4, active = $5, valid_from = $6,
               valid_until = $7
WHERE id = $1
