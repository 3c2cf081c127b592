-- Give up the rights of the login for those of the daemon's role, where it has been made.
SELECT set_config('role', r.rolname, false) FROM pg_roles r
WHERE r.rolname = 'agi_server_daemon'
  AND has_table_privilege(r.oid, to_regclass('ledger_entry'), 'INSERT')
  AND pg_has_role(r.oid, CASE WHEN current_setting('server_version_num')::integer >= 160000
                              THEN 'SET' ELSE 'MEMBER' END)
