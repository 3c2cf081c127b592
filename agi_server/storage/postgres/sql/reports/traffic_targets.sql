-- The minutes of a month ($1, its first day), in each account's zone, of accounts that expect some,
-- beside those expected; accounts after an id ($2), at most $3.
SELECT a.id AS account_id, a.account_number, c.traffic_minutes_per_month AS expected_minutes,
       c.target_traffic,
       (SELECT coalesce(sum(s.billed_seconds), 0)::bigint FROM call_session s
        WHERE s.account_id = a.id AND s.state = 'settled'
          AND s.authorized_at >= $1::date::timestamp AT TIME ZONE a.timezone
          AND s.authorized_at < ($1::date + interval '1 month') AT TIME ZONE a.timezone
       ) AS billed_seconds
FROM customer c JOIN account a ON a.id = c.account_id
WHERE c.traffic_minutes_per_month IS NOT NULL AND a.id > $2
ORDER BY a.id LIMIT $3
