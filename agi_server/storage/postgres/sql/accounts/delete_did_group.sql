-- Delete a DID group by its name that no account and no DID has. No row: one has, or there is none.
DELETE FROM did_group d
WHERE d.name = $1 AND NOT EXISTS (SELECT FROM customer c WHERE c.did_group_id = d.id)
  AND NOT EXISTS (SELECT FROM did n WHERE n.group_id = d.id)
RETURNING id
