-- Two ways of holding. Only additions: the previous release settles a rolling call like any other,
-- by limit_ms, which is what its hold pays for in both ways.

-- Null: as the setting calls.hold_mode says.
ALTER TABLE call_plan ADD COLUMN hold_mode text CHECK (hold_mode IN ('full', 'rolling'));

-- In rolling mode limit_ms and held_micros grow with each slice.
ALTER TABLE call_session
    ADD COLUMN cap_ms    bigint CHECK (cap_ms >= limit_ms), -- how far they may grow; null: full mode
    ADD COLUMN extend_at timestamptz;       -- when supervision has to look after its next slice
CREATE INDEX call_session_extend ON call_session (extend_at)
    WHERE state = 'open' AND extend_at IS NOT NULL;

-- Calls in progress of an account that may no longer call are hung up.
CREATE FUNCTION notify_account_stopped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('account_stopped', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER account_stopped AFTER UPDATE OF status, locked ON account
    FOR EACH ROW
    WHEN ((NEW.status <> 1 OR NEW.locked)
          AND (OLD.status IS DISTINCT FROM NEW.status OR OLD.locked IS DISTINCT FROM NEW.locked))
    EXECUTE FUNCTION notify_account_stopped();
