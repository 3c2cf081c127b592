-- The key for a purpose ($1); $2 becomes it where there is none yet.
WITH drawn AS (
    INSERT INTO signing_key (purpose, key) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key
)
SELECT key FROM drawn UNION ALL SELECT key FROM signing_key WHERE purpose = $1 LIMIT 1
