-- Keep what supervision saw of calls in progress: of the channels ($1) when they were seen up ($2)
-- and when they were answered ($3, null: not yet). Rows that somebody works on are left to the next
-- time. Returns the sessions whose answer is news.
WITH seen AS (
    SELECT s.account_id, s.call_id, s.seen_answered_at AS known_answered_at, v.seen_at,
           v.answered_at
    FROM call_session s
    JOIN unnest($1::text[], $2::timestamptz[], $3::timestamptz[])
        AS v (uniqueid, seen_at, answered_at) ON v.uniqueid = s.uniqueid
    WHERE s.state = 'open'
      -- A channel may make several calls, one after the other.
      AND (v.answered_at IS NULL OR v.answered_at >= s.authorized_at - interval '2 seconds')
      AND (s.seen_at IS NULL OR s.seen_at < v.seen_at - interval '2 seconds'
           OR v.answered_at IS DISTINCT FROM s.seen_answered_at)
    FOR UPDATE OF s SKIP LOCKED
), noted AS (
    UPDATE call_session s SET
        seen_at = greatest(s.seen_at, n.seen_at),
        seen_answered_at = coalesce(n.answered_at, s.seen_answered_at)
    FROM seen n WHERE s.account_id = n.account_id AND s.call_id = n.call_id
    RETURNING s.account_id, s.call_id, s.uniqueid, s.seen_answered_at, s.authorized_at,
              n.known_answered_at
)
SELECT n.account_id, n.call_id, n.uniqueid, n.seen_answered_at, n.authorized_at, a.account_number
FROM noted n LEFT JOIN account a ON a.id = n.account_id
WHERE n.known_answered_at IS NULL AND n.seen_answered_at IS NOT NULL
