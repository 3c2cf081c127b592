-- A new account. No row: the number is taken.
INSERT INTO account (
    account_number, status, group_id, plan_id, payment_type, currency, credit_limit_micros,
    simultaneous_access, calls_per_second, max_price_micros_per_minute, language, timezone,
    expiry_mode, expires_at, expiry_days, restriction, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (account_number) DO NOTHING
RETURNING id
