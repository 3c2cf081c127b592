-- Of some accounts ($1): what is counted as taken of a package in a period, where it is not what its
-- calls used or hold. A call that a release without packages ended keeps what was held for it (package_used is null).
SELECT coalesce(u.account_id, s.account_id) AS account_id,
       coalesce(k.name, coalesce(u.package_id, s.package_id)::text) AS package,
       coalesce(u.begins_on, s.begins_on) AS begins_on,
       coalesce(u.taken, 0) AS taken, coalesce(s.taken, 0)::bigint AS calls_taken
FROM (SELECT * FROM package_use WHERE account_id = ANY ($1::bigint[])) u
FULL JOIN (
    SELECT account_id, package_id, package_begins_on AS begins_on,
           sum(coalesce(package_used, package_held)) AS taken
    FROM call_session WHERE package_id IS NOT NULL AND account_id = ANY ($1::bigint[])
    GROUP BY account_id, package_id, package_begins_on
) s ON s.account_id = u.account_id AND s.package_id = u.package_id AND s.begins_on = u.begins_on
LEFT JOIN package k ON k.id = coalesce(u.package_id, s.package_id)
WHERE coalesce(u.taken, 0) <> coalesce(s.taken, 0)
ORDER BY 1, 3, 2
