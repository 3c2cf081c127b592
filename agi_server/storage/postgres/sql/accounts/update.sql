-- Change what calls need of an account ($1): the columns that are in the JSON $2.
UPDATE account a SET (
    status, group_id, plan_id, payment_type, credit_limit_micros,
    simultaneous_access, calls_per_second, max_price_micros_per_minute,
    max_cost_micros_per_call, max_cost_micros_per_hour, max_cost_micros_per_day,
    discount_basis_points, country, language, timezone, expiry_mode, expires_at, expiry_days,
    restriction, locked, presented_callerid
) = (
    SELECT
        r.status, r.group_id, r.plan_id, r.payment_type, r.credit_limit_micros,
        r.simultaneous_access, r.calls_per_second, r.max_price_micros_per_minute,
        r.max_cost_micros_per_call, r.max_cost_micros_per_hour, r.max_cost_micros_per_day,
        r.discount_basis_points, r.country, r.language, r.timezone, r.expiry_mode, r.expires_at,
        r.expiry_days, r.restriction, r.locked, r.presented_callerid
    FROM jsonb_populate_record(a, $2) r
)
WHERE a.id = $1
