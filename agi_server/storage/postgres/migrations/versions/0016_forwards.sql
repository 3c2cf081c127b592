-- A DID that goes on to a number is one call of its owner: how many of the open calls are such second
-- parts, which take no unit of simultaneous access. Kept by triggers, so that the previous release,
-- which does not know of it, keeps it as well.

ALTER TABLE account ADD COLUMN open_forwards integer NOT NULL DEFAULT 0;

CREATE FUNCTION count_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET open_forwards = open_forwards + CASE WHEN NEW.state = 'open' THEN 1 ELSE -1 END
    WHERE id = NEW.account_id;
    RETURN NULL;
END
$$;

-- Both wait until no call is being opened or ended, so that none is missed.
CREATE TRIGGER forward_opened AFTER INSERT ON call_session FOR EACH ROW
    WHEN (NEW.identified_by = 'forward' AND NEW.state = 'open')
    EXECUTE FUNCTION count_forward();
CREATE TRIGGER forward_ended AFTER UPDATE OF state ON call_session FOR EACH ROW
    WHEN (NEW.identified_by = 'forward' AND OLD.state = 'open' AND NEW.state <> 'open')
    EXECUTE FUNCTION count_forward();

UPDATE account a SET open_forwards = s.forwards
FROM (SELECT account_id, count(*) AS forwards FROM call_session
      WHERE state = 'open' AND identified_by = 'forward' GROUP BY account_id) s
WHERE a.id = s.account_id;
