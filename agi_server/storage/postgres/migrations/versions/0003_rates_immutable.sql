-- Refused by the database itself, so that no mistake of ours or by hand reprices a call. Only when
-- a version is in force (active, activated_at, effective_at) may change.
CREATE FUNCTION refuse_rate_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'versions of rate cards are immutable: % of % refused', TG_OP, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER rate_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON rate
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rate_change();
CREATE TRIGGER rate_card_version_immutable
    BEFORE UPDATE OF id, card_id, version, source_name, source_sha256, imported_at, rules
        OR DELETE OR TRUNCATE ON rate_card_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rate_change();
CREATE TRIGGER rate_card_currency_immutable BEFORE UPDATE OF id, currency ON rate_card
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rate_change();
