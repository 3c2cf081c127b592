-- Return when the synchronous standby, if there is one, has every commit that is visible here.
-- Visible is not yet safe: a commit whose wait for the standby was cancelled stands here alone. The
-- message is a commit of our own, after all those, and waits for the standby as any other does.
SELECT pg_logical_emit_message(true, 'agi-server', '')
WHERE current_setting('synchronous_standby_names') <> ''
