-- How many rates a version ($1) has, at most $2: enough to know whether they are many.
SELECT count(*) FROM (SELECT FROM rate WHERE version_id = $1 LIMIT $2) rates
