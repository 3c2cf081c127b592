-- The account with a number ($1) or, without one, with a CallerID ($2), or the owner of a DID ($8)
-- or of an inbound call that is open ($10 its account, $11 its id): all that the checks of a call
-- need, in one read. $9 is how the dialled number ends (null: nobody wants to know): DIDs that end
-- so and take calls come along, since the call may stay on-net. There is always one row, since the lock-out counts of the caller ($3)
-- and the source ($4) are wanted even when nobody is found. $5 now, $6 server, $7 uniqueid:
-- a session of this very channel that is still open comes along. package_use: what calls
-- have taken of packages in the periods that may be running, in whatever zone the account is.
SELECT
    a.id, a.account_number, a.status, a.locked, a.plan_id, a.payment_type, a.currency,
    a.balance_micros, a.held_micros, a.credit_limit_micros,
    a.open_calls, a.open_forwards, a.simultaneous_access,
    a.calls_per_second, a.second_started_at, a.calls_in_second,
    a.max_price_micros_per_minute, a.discount_basis_points, a.country, a.language, a.timezone,
    a.expiry_mode, a.expires_at, a.expiry_days, a.first_use_at, a.created_at,
    a.presented_callerid,
    a.max_cost_micros_per_call, a.max_cost_micros_per_hour, a.max_cost_micros_per_day,
    a.hour_started_at, a.spent_micros_in_hour, a.day_started_at, a.spent_micros_in_day,
    a.restriction,
    CASE WHEN a.restriction > 0 THEN ARRAY(
        SELECT r.rule FROM account_restriction r WHERE r.account_id = a.id ORDER BY r.rule
    ) END AS rules,
    g.may_call AS group_may_call,
    (SELECT array_agg(gp.plan_id) FROM group_plan gp WHERE gp.group_id = g.id) AS group_plan_ids,
    g.restriction AS group_restriction,
    CASE WHEN g.restriction > 0 THEN ARRAY(
        SELECT r.rule FROM group_restriction r WHERE r.group_id = g.id ORDER BY r.rule
    ) END AS group_rules,
    (SELECT jsonb_agg(jsonb_build_array(u.package_id, u.begins_on, u.taken)) FROM package_use u
     WHERE u.account_id = a.id
       AND u.begins_on > ($5::timestamptz AT TIME ZONE 'UTC')::date - 33
       AND u.ends_on >= ($5::timestamptz AT TIME ZONE 'UTC')::date) AS package_use,
    (SELECT jsonb_build_object(
         'assigned', d.account_id IS NOT NULL, 'active', d.active, 'plan_id', d.plan_id,
         'valid_from', d.valid_from, 'valid_until', d.valid_until,
         'destinations', (SELECT jsonb_agg(jsonb_build_array(t.kind, coalesce(t.number, p.user_name))
                                           ORDER BY t.priority)
                          FROM did_destination t
                          LEFT JOIN phone p ON p.account_id = d.account_id AND p.technology = t.kind
                          WHERE t.did_id = d.id AND t.active))
     FROM did d WHERE d.number = $8) AS did,
    CASE WHEN $9::text IS NOT NULL THEN ARRAY(
        SELECT d.number FROM did d
        WHERE right(d.number, 7) = $9 AND d.account_id IS NOT NULL AND d.active
          AND coalesce(d.valid_from <= $5, true) AND coalesce(d.valid_until >= $5, true)
    ) END AS on_net,
    earlier.account_id AS earlier_account_id,
    earlier.call_id AS earlier_call_id,
    earlier.rolling AS earlier_rolling,
    (SELECT f.failures FROM number_failures f
     WHERE f.scope = 'caller' AND f.key = $3 AND f.window_ends > $5) AS caller_failures,
    (SELECT f.failures FROM number_failures f
     WHERE f.scope = 'source' AND f.key = $4 AND f.window_ends > $5) AS source_failures
FROM (
    SELECT coalesce(
        (SELECT id FROM account WHERE account_number = $1),
        (SELECT account_id FROM callerid WHERE number = $2 AND active),
        (SELECT account_id FROM did WHERE number = $8),
        (SELECT account_id FROM call_session
         WHERE account_id = $10 AND call_id = $11 AND state = 'open' AND direction = 'inbound')
    ) AS id
) found
LEFT JOIN account a ON a.id = found.id
LEFT JOIN account_group g ON g.id = a.group_id
LEFT JOIN LATERAL (
    SELECT s.account_id, s.call_id, s.cap_ms IS NOT NULL AS rolling FROM call_session s
    WHERE s.uniqueid = $7 AND s.server = $6 AND s.state = 'open'
    ORDER BY s.authorized_at DESC LIMIT 1
) earlier ON true
