-- What Asterisk itself recorded of a channel ($1), in the order in which it ended.
SELECT dstchannel, disposition,
       CASE WHEN answer > 0 THEN to_timestamp(answer) END AS answered_at,
       to_timestamp("end") AS ended_at
FROM asterisk_cdr WHERE uniqueid = $1 AND "end" > 0 ORDER BY "end"
