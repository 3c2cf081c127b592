-- Whether the role we work as, and the one we logged in as, may change what was booked.
SELECT current_user AS role, session_user AS login,
       bool_or(u.may_change) FILTER (WHERE u.name = current_user) AS role_may,
       bool_or(u.may_change) FILTER (WHERE u.name = session_user) AS login_may
FROM (
    SELECT r.rolname AS name,
           r.rolsuper OR pg_has_role(r.oid, c.relowner, 'MEMBER')
           OR has_table_privilege(r.oid, c.oid, 'UPDATE, DELETE, TRUNCATE') AS may_change
    FROM pg_roles r, pg_class c
    WHERE c.oid = 'ledger_entry'::regclass AND r.rolname IN (current_user, session_user)
) u
