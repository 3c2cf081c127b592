-- All series, or the one of a name ($1).
SELECT s.id, s.name, s.digits, s.next_serial,
       (SELECT count(*) FROM customer c WHERE c.series_id = s.id) AS accounts
FROM series s
WHERE $1::text IS NULL OR s.name = $1
ORDER BY s.name
