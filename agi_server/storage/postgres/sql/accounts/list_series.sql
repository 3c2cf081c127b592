-- All series, or the one of a name ($1), with how many customers, without deleted ones.
SELECT s.id, s.name, s.digits, s.next_serial,
       (SELECT count(*) FROM customer c WHERE c.series_id = s.id
        AND NOT EXISTS (SELECT FROM account a
                        WHERE a.id = c.account_id AND a.deleted_at IS NOT NULL)) AS accounts
FROM series s
WHERE $1::text IS NULL OR s.name = $1
ORDER BY s.name
