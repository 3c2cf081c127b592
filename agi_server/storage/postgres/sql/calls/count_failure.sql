-- One more wrong account number of a caller ($1, null when unknown) and of a source ($2), in a window that ends at $4;
-- $3 now. A window that is over begins anew.
INSERT INTO number_failures AS f (scope, key, failures, window_ends)
SELECT scope, key, 1, $4
FROM (VALUES ('caller', $1::text), ('source', $2::text)) AS failed (scope, key)
WHERE key IS NOT NULL
ON CONFLICT (scope, key) DO UPDATE SET
    failures = CASE WHEN f.window_ends > $3 THEN f.failures + 1 ELSE 1 END,
    window_ends = CASE WHEN f.window_ends > $3 THEN f.window_ends ELSE excluded.window_ends END
RETURNING scope, failures
