-- A new account; $1 has its columns as JSON, $2 who made it, which its history begins with. The
-- database adds its row of customer. No row: the number is taken.
WITH created AS (
INSERT INTO account (
    account_number, status, group_id, plan_id, payment_type, currency, credit_limit_micros,
    simultaneous_access, calls_per_second, max_price_micros_per_minute,
    max_cost_micros_per_call, max_cost_micros_per_hour, max_cost_micros_per_day,
    discount_basis_points, country, language, timezone, expiry_mode, expires_at, expiry_days,
    restriction, locked, presented_callerid, created_at)
SELECT
    account_number, status, group_id, plan_id, payment_type, currency, credit_limit_micros,
    simultaneous_access, calls_per_second, max_price_micros_per_minute,
    max_cost_micros_per_call, max_cost_micros_per_hour, max_cost_micros_per_day,
    discount_basis_points, country, language, timezone, expiry_mode, expires_at, expiry_days,
    restriction, locked, presented_callerid, created_at
FROM jsonb_populate_record(NULL::account, $1)
ON CONFLICT (account_number) DO NOTHING
RETURNING id, created_at
), told AS (
    INSERT INTO account_audit (account_id, changed_at, changed_by, field, new)
    SELECT id, created_at, $2, 'account', 'created' FROM created
)
SELECT id FROM created
