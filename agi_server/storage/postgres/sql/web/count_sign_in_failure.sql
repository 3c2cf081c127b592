-- Count a refused sign-in by name ($1) and address ($2); $3 now, $4 when a new count ends.
INSERT INTO sign_in_failures AS f (scope, key, failures, window_ends)
VALUES ('name', $1, 1, $4), ('source', $2, 1, $4)
ON CONFLICT (scope, key) DO UPDATE SET
    failures = CASE WHEN f.window_ends > $3 THEN f.failures + 1 ELSE 1 END,
    window_ends = CASE WHEN f.window_ends > $3 THEN f.window_ends ELSE $4 END
