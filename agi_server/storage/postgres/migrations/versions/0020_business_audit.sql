-- Who changed what of customer groups, series, campaigns and DID groups, beside plans and trunks. The
-- table keeps its name: the previous release writes to it.

ALTER TABLE tariff_audit
    DROP CONSTRAINT tariff_audit_noun_check,
    ADD CONSTRAINT tariff_audit_noun_check
        CHECK (noun IN ('plan', 'trunk', 'group', 'series', 'campaign', 'did_group'));
COMMENT ON TABLE tariff_audit IS
    'Changes of all that the business is set up with: call plans, trunks, groups, series, campaigns';
