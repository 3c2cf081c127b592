-- One more try of the PIN of an account ($1, the key), before it is known whether it is right: how
-- many there were in the window, which ends at $3; $2 now. With the hash of the PIN and the lock.
WITH tried AS (
    INSERT INTO number_failures AS f (scope, key, failures, window_ends)
    VALUES ('caller', 'pin:' || $1::bigint, 1, $3)
    ON CONFLICT (scope, key) DO UPDATE SET
        failures = CASE WHEN f.window_ends > $2 THEN f.failures + 1 ELSE 1 END,
        window_ends = CASE WHEN f.window_ends > $2 THEN f.window_ends ELSE excluded.window_ends END
    RETURNING failures
)
SELECT tried.failures, c.lock_pin_hash, a.locked
FROM tried, account a JOIN customer c ON c.account_id = a.id
WHERE a.id = $1
