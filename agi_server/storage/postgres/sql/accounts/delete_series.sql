-- Delete a series by its name that no account has a serial of. No row: one has, or there is none.
DELETE FROM series s
WHERE s.name = $1 AND NOT EXISTS (SELECT FROM customer c WHERE c.series_id = s.id)
RETURNING id
