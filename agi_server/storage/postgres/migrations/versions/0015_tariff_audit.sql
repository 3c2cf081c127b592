-- Who changed what of a call plan or a trunk. An addition: the previous release does not know of it.

CREATE TABLE tariff_audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noun       text NOT NULL CHECK (noun IN ('plan', 'trunk')),
    name       text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    field      text NOT NULL,
    old        text,
    new        text
);
CREATE INDEX tariff_audit_newest ON tariff_audit (noun, name, id);
