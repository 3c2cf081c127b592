-- Which time of waiting for confirmation a link is of: leaving status 3, however, ends one. An addition:
-- the previous release makes links without it, of which this one has its customer ask for another,
-- except for those who wait for the first time since ever.

ALTER TABLE customer ADD COLUMN confirmation_spell bigint NOT NULL DEFAULT 1;

UPDATE customer c SET confirmation_spell = 0
FROM account a
WHERE a.id = c.account_id AND a.status = 3 AND c.confirmed_at IS NULL AND NOT EXISTS (
    SELECT FROM account_audit x WHERE x.account_id = a.id AND x.field = 'status');

CREATE FUNCTION end_confirmation_spell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE customer SET confirmation_spell = confirmation_spell + 1 WHERE account_id = NEW.id;
    RETURN NULL;
END
$$;

-- Calls do not write the status.
CREATE TRIGGER confirmation_spell_ended AFTER UPDATE OF status ON account FOR EACH ROW
    WHEN (OLD.status = 3 AND NEW.status <> 3)
    EXECUTE FUNCTION end_confirmation_spell();
