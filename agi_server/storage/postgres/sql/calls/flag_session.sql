-- Note on an open session what an operator should look at ($3), once.
UPDATE call_session SET review = concat_ws('; ', review, $3::text)
WHERE account_id = $1 AND call_id = $2 AND state = 'open'
  AND position($3::text IN coalesce(review, '')) = 0
