-- Reports and lists that stay quick however many calls there are. Only additions: the previous
-- release goes on working on this schema until it is replaced.

-- All that reports read of a call that ended, so that they need not read the calls themselves.
CREATE INDEX call_session_ended ON call_session (authorized_at)
    INCLUDE (account_id, state, currency, version_id, prefix, trunk_ids, route, talk_ms,
             billed_seconds, cost_micros, corrected_cost_micros, buy_cost_micros)
    WHERE state IN ('settled', 'denied');
-- An index alone is enough only for pages of which VACUUM has said so: not after each fifth of all
-- calls, which are weeks, but after each fiftieth.
ALTER TABLE call_session SET (autovacuum_vacuum_scale_factor = 0.02,
                              autovacuum_vacuum_insert_scale_factor = 0.02);

-- The refused calls of an account, of which most may have another reason than the one sought.
CREATE INDEX call_session_account_refused ON call_session
    (account_id, authorized_at, reason, state) WHERE state IN ('denied', 'void');
