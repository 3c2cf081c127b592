-- DIDs: numbers on which customers are called. Only additions with defaults: the previous release
-- goes on working on this schema until it is replaced.

CREATE TABLE did (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      text NOT NULL UNIQUE CHECK (number ~ '^[0-9]{3,15}$'),
    account_id  bigint REFERENCES account,       -- whose it is; null: nobody's
    group_id    bigint REFERENCES did_group,
    plan_id     bigint REFERENCES call_plan,     -- prices its calls; null: as the setting says
    active      boolean NOT NULL DEFAULT true,
    valid_from  timestamptz,
    valid_until timestamptz,
    created_at  timestamptz NOT NULL,
    CHECK (valid_until > valid_from)
);
CREATE INDEX did_account ON did (account_id, number);
CREATE INDEX did_group_members ON did (group_id, number);
CREATE INDEX did_plan ON did (plan_id);
CREATE INDEX did_digits ON did (number text_pattern_ops);
-- However a number was dialled, it ends as the DID does: so a call that stays on-net is found in
-- the same read as its caller, whose country is not known before.
CREATE INDEX did_ending ON did ("right"(number, 7));

-- Where a DID rings, one after the other: on the owner's phone, or at a number.
CREATE TABLE did_destination (
    did_id   bigint NOT NULL REFERENCES did ON DELETE CASCADE,
    priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 99),
    kind     text NOT NULL CHECK (kind IN ('sip', 'iax', 'number')),
    number   text CHECK (number ~ '^[0-9]{3,15}$'),
    active   boolean NOT NULL DEFAULT true,
    PRIMARY KEY (did_id, priority),
    CHECK ((kind = 'number') = (number IS NOT NULL))
);

-- Who changed what of a DID; it stays when the DID is deleted.
CREATE TABLE did_audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number     text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    field      text NOT NULL,
    old        text,
    new        text
);
CREATE INDEX did_audit_newest ON did_audit (number, id);

-- An inbound call belongs to the owner of the DID. on_net: a call to a DID that no carrier carried.
ALTER TABLE call_session
    ADD COLUMN direction text NOT NULL DEFAULT 'outbound'
        CHECK (direction IN ('outbound', 'inbound', 'on_net')),
    ADD COLUMN did text;
