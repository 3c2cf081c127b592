-- What others than the hangup handler tell about a call. Only additions: the previous release goes
-- on working on this schema until it is replaced.

ALTER TABLE call_session
    ADD COLUMN seen_answered_at timestamptz, -- supervision saw the called party answer ...
    ADD COLUMN seen_at          timestamptz; -- ... and saw the call up at this instant, the last one

-- Asterisk's own call records, written by its module cdr_pgsql (or loaded from its files). Columns
-- are named as Asterisk names its fields, times are epoch seconds. Empty where nobody writes here.
CREATE TABLE asterisk_cdr (
    uniqueid    text NOT NULL,
    accountcode text NOT NULL DEFAULT '',
    channel     text NOT NULL DEFAULT '',
    dstchannel  text NOT NULL DEFAULT '',
    start       float8,
    answer      float8,                      -- of the caller's channel: an IVR's answer counts
    "end"       float8,
    disposition text NOT NULL DEFAULT ''
);
CREATE INDEX asterisk_cdr_uniqueid ON asterisk_cdr (uniqueid);
