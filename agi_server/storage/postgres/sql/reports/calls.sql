-- Calls authorized in [$1, $2), added up by ($3) day in the zone ($4), destination, trunk, account,
-- group or campaign, and by currency; of one group ($5) where it is not null. Days stand in order, of all else
-- those that have most of a measure ($6) come first; at most $7 of each currency (null: all).
-- dialled: settled; answered: of those, billed for at least a second; refused: never dialled.
-- What is read of call_session is all in the index call_session_ended. Accounts are joined for their
-- groups only, and asked for the currency of calls that earlier releases refused without it.
WITH added AS (
    SELECT CASE $3::text WHEN 'day' THEN date_trunc('day', s.authorized_at, $4::text) END AS day,
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
           coalesce(sum(s.talk_ms) FILTER (WHERE s.state = 'settled' AND s.billed_seconds > 0),
                    0)::bigint AS talk_ms,
           coalesce(sum(s.billed_seconds), 0)::bigint AS billed_seconds,
           coalesce(sum(coalesce(s.corrected_cost_micros, s.cost_micros)), 0)::bigint
               AS revenue_micros,
           coalesce(sum(s.buy_cost_micros), 0)::bigint AS buy_cost_micros,
           max(s.version_id) AS version_id
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
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY currency
                                 ORDER BY measure DESC NULLS LAST, billed_seconds DESC) AS place
    FROM measured
)
SELECT CASE $3::text
           WHEN 'day' THEN to_char(p.day AT TIME ZONE $4::text, 'YYYY-MM-DD')
           WHEN 'destination' THEN p.prefix
           WHEN 'trunk' THEN (SELECT t.name FROM trunk t WHERE t.id = p.id)
           WHEN 'account' THEN p.id::text
           WHEN 'group' THEN (SELECT g.name FROM account_group g WHERE g.id = p.id)
           WHEN 'campaign' THEN (SELECT m.name FROM campaign m WHERE m.id = p.id)
       END AS key,
       p.currency, p.dialled, p.answered, p.refused, p.talk_ms, p.billed_seconds, p.revenue_micros,
       p.buy_cost_micros,
       CASE $3::text WHEN 'destination' THEN (
           SELECT r.destination FROM rate r
           WHERE r.version_id = p.version_id AND r.prefix = p.prefix
           ORDER BY r.effective_from DESC NULLS LAST LIMIT 1
       ) END AS destination
FROM placed p
WHERE $7::bigint IS NULL OR p.place <= $7
ORDER BY p.day, p.measure DESC NULLS LAST, p.billed_seconds DESC, p.dialled DESC, key
