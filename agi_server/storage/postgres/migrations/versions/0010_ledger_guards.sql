-- Money received (payments), and corrections by hand, against the account of either name.
ALTER TABLE ledger_entry
    DROP CONSTRAINT ledger_entry_kind_check,
    DROP CONSTRAINT ledger_entry_debit_check,
    DROP CONSTRAINT ledger_entry_credit_check,
    ADD CONSTRAINT ledger_entry_kind_check
        CHECK (kind IN ('call', 'refill', 'correction', 'payment')),
    ADD CONSTRAINT ledger_entry_debit_check
        CHECK (debit IN ('customer', 'refills', 'overrun', 'revenue', 'payments', 'corrections')),
    ADD CONSTRAINT ledger_entry_credit_check
        CHECK (credit IN ('customer', 'refills', 'overrun', 'revenue', 'corrections'));

-- The reference of whoever asked is part of the id, and no month is: a call's charge apart, whose
-- month is that of the call, the same movement is booked once.
CREATE UNIQUE INDEX ledger_entry_once ON ledger_entry (account_id, movement_id, part)
    WHERE kind <> 'call';
DROP INDEX ledger_entry_refill_once;

-- An entry is written by the statement that moves the balance, so when that has ended the account
-- has the balance which the entry says; and a call is charged only when it has been settled, in the
-- month of its start: so there is one post for each hold.
CREATE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM account a
                   WHERE a.id = NEW.account_id AND a.balance_micros = NEW.balance_micros) THEN
        RAISE EXCEPTION 'entry % of account %: not the balance of the account',
            NEW.movement_id, NEW.account_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'call' AND NOT EXISTS (
        SELECT FROM call_session s
        WHERE s.account_id = NEW.account_id AND s.call_id = substr(NEW.movement_id, 6)
          AND NEW.movement_id LIKE 'call:%' AND s.state = 'settled'
          AND NEW.period = date_trunc('month', s.authorized_at AT TIME ZONE 'UTC')) THEN
        RAISE EXCEPTION 'entry % of account %: no settled call of that month',
            NEW.movement_id, NEW.account_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER ledger_entry_fits AFTER INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION check_ledger_entry();

-- A call ends once, and what it ended with stays: a correction is a new entry, its new cost stands
-- in corrected_cost_micros. What names the call never changes.
CREATE FUNCTION refuse_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'call % is %: its figures cannot be changed', OLD.call_id, OLD.state
        USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER call_session_ends_once BEFORE UPDATE ON call_session FOR EACH ROW
    WHEN (OLD.state <> 'open'
          AND (OLD.state, OLD.authorized_at, OLD.held_micros, OLD.limit_ms, OLD.talk_ms, OLD.billed_seconds,
               OLD.cost_micros, OLD.buy_cost_micros, OLD.settled_at)
              IS DISTINCT FROM
              (NEW.state, NEW.authorized_at, NEW.held_micros, NEW.limit_ms, NEW.talk_ms, NEW.billed_seconds,
               NEW.cost_micros, NEW.buy_cost_micros, NEW.settled_at))
    EXECUTE FUNCTION refuse_session_change();
CREATE TRIGGER call_session_keeps_its_name BEFORE UPDATE ON call_session FOR EACH ROW
    WHEN ((OLD.account_id, OLD.call_id, OLD.uniqueid, OLD.currency)
          IS DISTINCT FROM (NEW.account_id, NEW.call_id, NEW.uniqueid, NEW.currency))
    EXECUTE FUNCTION refuse_session_change();
