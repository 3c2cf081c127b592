-- Keys with which links in mails are signed: drawn once, and the same for all daemons.
CREATE TABLE signing_key (
    purpose text PRIMARY KEY CHECK (purpose <> ''),
    key     bytea NOT NULL
);
