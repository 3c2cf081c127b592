-- What a sign-in is checked against.
SELECT id, password_hash, totp_secret, totp_last_step FROM operator
WHERE name = $1 AND disabled_at IS NULL
