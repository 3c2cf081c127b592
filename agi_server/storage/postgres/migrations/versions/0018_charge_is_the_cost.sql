-- As in 0010; and what a call is charged, its overrun included, is what it cost: no further part of
-- the same movement can be posted by whoever finds the call settled.
CREATE OR REPLACE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    cost bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM account a
                   WHERE a.id = NEW.account_id AND a.balance_micros = NEW.balance_micros) THEN
        RAISE EXCEPTION 'entry % of account %: not the balance of the account',
            NEW.movement_id, NEW.account_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'call' THEN
        SELECT s.cost_micros INTO cost FROM call_session s
        WHERE s.account_id = NEW.account_id AND s.call_id = substr(NEW.movement_id, 6)
          AND NEW.movement_id LIKE 'call:%' AND s.state = 'settled'
          AND NEW.period = date_trunc('month', s.authorized_at AT TIME ZONE 'UTC');
        IF NOT FOUND THEN
            RAISE EXCEPTION 'entry % of account %: no settled call of that month',
                NEW.movement_id, NEW.account_id USING ERRCODE = 'check_violation';
        END IF;
        -- All parts are there: they are written by one statement, and this runs when it has ended.
        IF cost IS DISTINCT FROM (
            SELECT sum(e.amount_micros) FROM ledger_entry e
            WHERE e.account_id = NEW.account_id AND e.period = NEW.period
              AND e.movement_id = NEW.movement_id) THEN
            RAISE EXCEPTION 'entry % of account %: not what the call cost',
                NEW.movement_id, NEW.account_id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
