-- The role as which daemons and commands work, whatever they log in as: it may add entries to the
-- ledger but not change or remove them, and as it owns nothing it cannot switch a trigger off.
-- Run after every upgrade, so that new tables are its own too. Who may not create roles goes on
-- without: doctor says so, and how to mend it.
DO $$
DECLARE
    room name;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'agi_server_daemon') THEN
        BEGIN
            CREATE ROLE agi_server_daemon NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- created for another database
            WHEN insufficient_privilege THEN RETURN;
        END;
    END IF;
    FOR room IN SELECT nspname FROM pg_namespace
                WHERE nspname IN (current_schema(), 'asterisk') LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO agi_server_daemon', room);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I'
                       ' TO agi_server_daemon', room);
        EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I'
                       ' TO agi_server_daemon', room);
    END LOOP;
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO agi_server_daemon', current_database());
    REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entry FROM agi_server_daemon;
    -- What entries are about stays as well.
    REVOKE DELETE ON account, call_session FROM agi_server_daemon;
    REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM agi_server_daemon;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        BEGIN
            EXECUTE format('GRANT agi_server_daemon TO %I', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN NULL; -- who created the role must grant it
        END;
    END IF;
END
$$;
