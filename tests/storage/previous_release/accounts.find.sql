-- One account by its number ($1) or by its id ($2).
SELECT a.id, a.account_number, a.status, g.name AS group_name, p.name AS plan_name, a.payment_type,
       a.currency, a.balance_micros, a.held_micros, a.credit_limit_micros, a.open_calls,
       a.simultaneous_access, a.calls_per_second, a.max_price_micros_per_minute, a.locked,
       a.language, a.timezone, a.expiry_mode, a.expires_at, a.expiry_days, a.restriction,
       a.first_use_at, a.created_at,
       ARRAY(SELECT r.rule FROM account_restriction r
             WHERE r.account_id = a.id ORDER BY r.rule) AS restricted_numbers,
       ARRAY(SELECT c.number FROM callerid c
             WHERE c.account_id = a.id ORDER BY c.number) AS callerids
FROM account a
LEFT JOIN account_group g ON g.id = a.group_id
LEFT JOIN call_plan p ON p.id = a.plan_id
WHERE a.id = coalesce($2::bigint, (SELECT id FROM account WHERE account_number = $1))
