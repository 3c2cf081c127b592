-- Calls authorized in [$1, $2), added up by ($3) day in the zone ($4), destination, trunk, account
-- or group, and by currency; of one group ($5) where it is not null.
-- dialled: settled; answered: of those, billed for at least a second; refused: never dialled.
WITH added AS (
    SELECT c.key, c.currency,
           count(*) FILTER (WHERE c.state = 'settled') AS dialled,
           count(*) FILTER (WHERE c.answered) AS answered,
           count(*) FILTER (WHERE c.state = 'denied') AS refused,
           coalesce(sum(c.talk_ms) FILTER (WHERE c.answered), 0)::bigint AS talk_ms,
           coalesce(sum(c.billed_seconds), 0)::bigint AS billed_seconds,
           coalesce(sum(c.revenue_micros), 0)::bigint AS revenue_micros,
           coalesce(sum(c.buy_cost_micros), 0)::bigint AS buy_cost_micros,
           max(c.version_id) AS version_id
    FROM (
        SELECT CASE $3::text
                   WHEN 'day' THEN to_char(s.authorized_at AT TIME ZONE $4::text, 'YYYY-MM-DD')
                   WHEN 'destination' THEN s.prefix
                   WHEN 'trunk' THEN t.name
                   WHEN 'account' THEN nullif(s.account_id, 0)::text
                   WHEN 'group' THEN g.name
               END AS key,
               coalesce(s.currency, a.currency) AS currency, s.state, s.version_id,
               s.state = 'settled' AND s.billed_seconds > 0 AS answered,
               s.talk_ms, s.billed_seconds, s.buy_cost_micros,
               coalesce(s.corrected_cost_micros, s.cost_micros) AS revenue_micros
        FROM call_session s
        LEFT JOIN account a ON a.id = s.account_id
        LEFT JOIN account_group g ON g.id = a.group_id
        LEFT JOIN trunk t ON t.id = s.trunk_ids[coalesce(s.route, 1)]
        WHERE s.authorized_at >= $1 AND s.authorized_at < $2 AND s.state IN ('settled', 'denied')
          AND ($5::bigint IS NULL OR a.group_id = $5)
    ) c
    GROUP BY c.key, c.currency
)
SELECT d.key, d.currency, d.dialled, d.answered, d.refused, d.talk_ms, d.billed_seconds,
       d.revenue_micros, d.buy_cost_micros,
       CASE $3::text WHEN 'destination' THEN (
           SELECT r.destination FROM rate r
           WHERE r.version_id = d.version_id AND r.prefix = d.key
           ORDER BY r.effective_from DESC NULLS LAST LIMIT 1
       ) END AS destination
FROM added d
ORDER BY CASE WHEN $3::text = 'day' THEN d.key END, d.billed_seconds DESC, d.dialled DESC, d.key
