-- All beginnings of versions. rate_card_version has but the last one of each: of a version that was
-- activated again it had forgotten that it was in force before, so calls of that time, priced again,
-- found another version or none. Written by a trigger, so that the previous release writes it too.
CREATE TABLE rate_card_activation (
    version_id   bigint NOT NULL REFERENCES rate_card_version,
    begins       timestamptz NOT NULL,
    activated_at timestamptz NOT NULL,
    PRIMARY KEY (version_id, begins)
);
INSERT INTO rate_card_activation (version_id, begins, activated_at)
SELECT id, coalesce(effective_at, activated_at), activated_at
FROM rate_card_version WHERE activated_at IS NOT NULL;

CREATE FUNCTION note_activation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A beginning that had not come yet is taken back or put off; one that had come stays true.
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM rate_card_activation
        WHERE version_id = OLD.id AND begins = coalesce(OLD.effective_at, OLD.activated_at)
          AND (NEW.activated_at IS NULL OR begins > NEW.activated_at);
    END IF;
    IF NEW.activated_at IS NOT NULL THEN
        INSERT INTO rate_card_activation (version_id, begins, activated_at)
        VALUES (NEW.id, coalesce(NEW.effective_at, NEW.activated_at), NEW.activated_at)
        ON CONFLICT (version_id, begins) DO UPDATE SET activated_at = excluded.activated_at;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER rate_card_activated AFTER INSERT OR UPDATE OF activated_at, effective_at
    ON rate_card_version FOR EACH ROW EXECUTE FUNCTION note_activation();
