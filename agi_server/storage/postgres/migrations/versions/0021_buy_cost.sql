-- As in 0010, but a call that is priced again may turn out to be bought for something else: that is
-- no customer's money, no entry tells of it, and reports read it from the call.
CREATE OR REPLACE TRIGGER call_session_ends_once BEFORE UPDATE ON call_session FOR EACH ROW
    WHEN (OLD.state <> 'open'
          AND (OLD.state, OLD.authorized_at, OLD.held_micros, OLD.limit_ms, OLD.talk_ms, OLD.billed_seconds,
               OLD.cost_micros, OLD.settled_at)
              IS DISTINCT FROM
              (NEW.state, NEW.authorized_at, NEW.held_micros, NEW.limit_ms, NEW.talk_ms, NEW.billed_seconds,
               NEW.cost_micros, NEW.settled_at))
    EXECUTE FUNCTION refuse_session_change();
