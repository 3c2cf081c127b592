-- As in 0010, but a call that is priced again may turn out to be bought for something else, and for
-- other seconds: of these no entry tells, and reports read them from the call.
CREATE OR REPLACE TRIGGER call_session_ends_once BEFORE UPDATE ON call_session FOR EACH ROW
    WHEN (OLD.state <> 'open'
          AND (OLD.state, OLD.authorized_at, OLD.held_micros, OLD.limit_ms, OLD.talk_ms,
               OLD.cost_micros, OLD.settled_at,
               CASE WHEN NEW.corrected_cost_micros IS NULL THEN OLD.billed_seconds END,
               CASE WHEN NEW.corrected_cost_micros IS NULL THEN OLD.buy_cost_micros END)
              IS DISTINCT FROM
              (NEW.state, NEW.authorized_at, NEW.held_micros, NEW.limit_ms, NEW.talk_ms,
               NEW.cost_micros, NEW.settled_at,
               CASE WHEN NEW.corrected_cost_micros IS NULL THEN NEW.billed_seconds END,
               CASE WHEN NEW.corrected_cost_micros IS NULL THEN NEW.buy_cost_micros END))
    EXECUTE FUNCTION refuse_session_change();
