-- A foreign key asks for the version once for each of a million rates, which took longer than to
-- store them. All rates of a statement are of one version or of few. What the key said stays true:
-- rates are neither changed nor removed, and versions neither (0003), so only what is added matters.
ALTER TABLE rate DROP CONSTRAINT rate_version_id_fkey;

CREATE FUNCTION check_rate_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    SELECT a.version_id INTO missing FROM (SELECT DISTINCT version_id FROM added) a
    WHERE NOT EXISTS (SELECT FROM rate_card_version v WHERE v.id = a.version_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'rates of version %: there is none', missing
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER rate_has_version AFTER INSERT ON rate REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_rate_version();
