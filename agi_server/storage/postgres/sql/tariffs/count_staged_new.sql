-- How many prefixes are staged; null where one has a rate that is withdrawn or lies ahead of a time
-- ($1), so that its numbers may have no rate at times.
SELECT CASE
    WHEN bool_or(effective_from > $1 OR coalesce((terms->>'withdrawn')::boolean, false)) THEN NULL
    ELSE count(DISTINCT prefix COLLATE "C")
END
FROM staged_rate
