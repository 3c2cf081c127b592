-- Calls authorized in [$1, $2), added up by ($3) day in the zone ($4), destination, trunk, account,
-- group or campaign, and by currency; of one group ($5) where it is not null. Days stand in order, of all else
-- those that have most of a measure ($6) come first; at most $7 of each currency (null: all).
-- dialled: settled; answered: of those, billed for at least a second; refused: never dialled.
-- What is read of call_session is all in the index call_session_ended. Accounts are joined for their
-- groups only, and asked for the currency of calls that earlier releases refused without it.
WITH added AS (
    SELECT CASE $3::text WHEN 'day' THEN (s.authorized_at AT TIME ZONE $4::text)::date END AS day,
           CASE $3::text WHEN 'destination' THEN s.prefix END AS prefix,
           CASE $3::text WHEN 'trunk' THEN s.trunk_ids[coalesce(s.route, 1)]
                         WHEN 'account' THEN nullif(s.account_id, 0)
                         WHEN 'group' THEN a.group_id
                         WHEN 'campaign' THEN c.campaign_id END AS id,
           coalesce(s.currency, (SELECT o.currency FROM account o WHERE o.id = s.account_id))
               AS currency,
           count(*) FILTER (WHERE s.state = 'settled') AS dialled,
           count(*) FILTER (WHERE s.state = 'settled' AND s.billed_seconds > 0) AS answered,
           count(*) FILTER (WHERE s.state = 'denied') AS refused,
           sum_as_bigint(s.talk_ms) FILTER (WHERE s.state = 'settled' AND s.billed_seconds > 0)
               AS talk_ms,
           sum_as_bigint(s.billed_seconds) AS billed_seconds,
           sum_as_bigint(coalesce(s.corrected_cost_micros, s.cost_micros)) AS revenue_micros,
           sum_as_bigint(s.buy_cost_micros) AS buy_cost_micros,
           CASE $3::text WHEN 'destination' THEN max(s.version_id) END AS version_id
    FROM call_session s
    LEFT JOIN account a ON a.id = s.account_id
    LEFT JOIN customer c ON $3::text = 'campaign' AND c.account_id = s.account_id
    WHERE s.authorized_at >= $1 AND s.authorized_at < $2 AND s.state IN ('settled', 'denied')
      AND ($5::bigint IS NULL OR a.group_id = $5)
    GROUP BY 1, 2, 3, 4
), measured AS (
    SELECT *, CASE $6::text
                  WHEN 'minutes' THEN billed_seconds
                  WHEN 'revenue' THEN revenue_micros
                  WHEN 'cost' THEN buy_cost_micros
                  WHEN 'margin' THEN revenue_micros - buy_cost_micros
                  WHEN 'asr' THEN answered * 10000 / nullif(dialled, 0)
                  WHEN 'acd' THEN talk_ms / nullif(answered, 0)
              END AS measure
    FROM added
), shown AS (
    -- Not a window's row_number: that would sort all of them for the few.
    SELECT most.*
    FROM (SELECT DISTINCT currency FROM measured) each
    CROSS JOIN LATERAL (
        SELECT * FROM measured m WHERE m.currency IS NOT DISTINCT FROM each.currency
        ORDER BY m.measure DESC NULLS LAST, m.billed_seconds DESC LIMIT $7
    ) most
)
SELECT CASE $3::text
           WHEN 'day' THEN to_char(p.day, 'YYYY-MM-DD')
           WHEN 'destination' THEN p.prefix
           WHEN 'trunk' THEN (SELECT t.name FROM trunk t WHERE t.id = p.id)
           WHEN 'account' THEN p.id::text
           WHEN 'group' THEN (SELECT g.name FROM account_group g WHERE g.id = p.id)
           WHEN 'campaign' THEN (SELECT m.name FROM campaign m WHERE m.id = p.id)
       END AS key,
       p.currency, p.dialled, p.answered, p.refused,
       p.talk_ms, p.billed_seconds, p.revenue_micros, p.buy_cost_micros,
       CASE $3::text WHEN 'destination' THEN (
           SELECT r.destination FROM rate r
           WHERE r.version_id = p.version_id AND r.prefix = p.prefix
           ORDER BY r.effective_from DESC NULLS LAST LIMIT 1
       ) END AS destination
FROM shown p
ORDER BY p.day, p.measure DESC NULLS LAST, p.billed_seconds DESC, p.dialled DESC, key,
         p.currency
