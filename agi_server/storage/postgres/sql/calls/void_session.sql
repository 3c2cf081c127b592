-- Release everything an open session reserved, for a call that was never dialled ($3: why).
-- No row: it was not open.
WITH voided AS (
    UPDATE call_session SET state = 'void', reason = $3, settled_at = $4,
        package_used = CASE WHEN package_id IS NOT NULL THEN 0 END
    WHERE account_id = $1 AND call_id = $2 AND state = 'open'
    RETURNING account_id, held_micros, package_id, package_begins_on, package_held
), freed AS (
    UPDATE account a SET held_micros = a.held_micros - v.held_micros, open_calls = a.open_calls - 1
    FROM voided v WHERE a.id = v.account_id
    RETURNING a.id, a.open_calls
), package AS (
    UPDATE package_use u SET taken = u.taken - v.package_held
    FROM voided v, freed f
    WHERE u.account_id = f.id AND u.package_id = v.package_id AND u.begins_on = v.package_begins_on
)
SELECT open_calls FROM freed
