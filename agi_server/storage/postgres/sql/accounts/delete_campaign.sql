-- Delete a campaign by its name that no account is in. No row: one is, or there is none.
DELETE FROM campaign m
WHERE m.name = $1 AND NOT EXISTS (SELECT FROM customer c WHERE c.campaign_id = m.id)
RETURNING id
