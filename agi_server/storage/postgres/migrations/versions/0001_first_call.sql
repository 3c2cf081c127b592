-- The first schema: accounts, what they are sold, their calls, holds and ledger.
-- Every row of the call path carries account_id, so that the tables can be spread by it.
-- Money is in micros: integers of 10^-6 of the currency unit.

CREATE TABLE trunk (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL UNIQUE CHECK (name <> ''),
    dial    text NOT NULL CHECK (dial <> ''),       -- template, e.g. PJSIP/{number}@gw
    enabled boolean NOT NULL DEFAULT true
);

CREATE TABLE rate_card (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     text NOT NULL UNIQUE CHECK (name <> ''),
    currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$')
);

-- The trunks that carry a card's calls, in the order in which they are tried.
CREATE TABLE rate_card_trunk (
    card_id  bigint NOT NULL REFERENCES rate_card ON DELETE CASCADE,
    position smallint NOT NULL,
    trunk_id bigint NOT NULL REFERENCES trunk,
    PRIMARY KEY (card_id, position),
    UNIQUE (card_id, trunk_id)
);

-- Versions are immutable once stored: the same call always prices the same.
CREATE TABLE rate_card_version (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    card_id       bigint NOT NULL REFERENCES rate_card,
    version       integer NOT NULL,
    active        boolean NOT NULL DEFAULT false,
    source_name   text NOT NULL,
    source_sha256 text NOT NULL,
    imported_at   timestamptz NOT NULL,
    activated_at  timestamptz,
    UNIQUE (card_id, version)
);
CREATE UNIQUE INDEX rate_card_version_active ON rate_card_version (card_id) WHERE active;

CREATE TABLE rate (
    version_id                bigint NOT NULL REFERENCES rate_card_version,
    prefix                    text NOT NULL CHECK (prefix ~ '^[0-9]{1,15}$'),
    destination               text NOT NULL,
    price_micros_per_minute   bigint NOT NULL CHECK (price_micros_per_minute >= 0),
    initial_s                 integer NOT NULL CHECK (initial_s >= 0),
    increment_s               integer NOT NULL CHECK (increment_s >= 1),
    connection_fee_micros     bigint NOT NULL DEFAULT 0 CHECK (connection_fee_micros >= 0),
    minimum_charge_micros     bigint NOT NULL DEFAULT 0 CHECK (minimum_charge_micros >= 0),
    buy_price_micros_per_minute bigint NOT NULL DEFAULT 0 CHECK (buy_price_micros_per_minute >= 0),
    buy_initial_s             integer NOT NULL DEFAULT 1 CHECK (buy_initial_s >= 0),
    buy_increment_s           integer NOT NULL DEFAULT 1 CHECK (buy_increment_s >= 1),
    effective_from            timestamptz,       -- null: always
    UNIQUE NULLS NOT DISTINCT (version_id, prefix, effective_from)
);

CREATE TABLE call_plan (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> '')
);

CREATE TABLE call_plan_card (
    plan_id  bigint NOT NULL REFERENCES call_plan ON DELETE CASCADE,
    position smallint NOT NULL,
    card_id  bigint NOT NULL REFERENCES rate_card,
    PRIMARY KEY (plan_id, position),
    UNIQUE (plan_id, card_id)
);

CREATE TABLE account_group (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    may_call    boolean NOT NULL DEFAULT true,
    restriction smallint NOT NULL DEFAULT 0 CHECK (restriction BETWEEN 0 AND 2)
);

CREATE TABLE group_restriction (
    group_id bigint NOT NULL REFERENCES account_group ON DELETE CASCADE,
    rule     text NOT NULL CHECK (rule <> ''),
    PRIMARY KEY (group_id, rule)
);

CREATE TABLE account (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_number      text NOT NULL UNIQUE CHECK (account_number ~ '^[0-9]{6,15}$'),
    status              smallint NOT NULL DEFAULT 1 CHECK (status BETWEEN 0 AND 8),
    group_id            bigint REFERENCES account_group,
    plan_id             bigint REFERENCES call_plan,
    payment_type        text NOT NULL DEFAULT 'prepaid' CHECK (payment_type IN ('prepaid', 'postpaid')),
    currency            char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    balance_micros      bigint NOT NULL DEFAULT 0,
    held_micros         bigint NOT NULL DEFAULT 0 CHECK (held_micros >= 0),
    credit_limit_micros bigint NOT NULL DEFAULT 0 CHECK (credit_limit_micros >= 0),
    open_calls          integer NOT NULL DEFAULT 0 CHECK (open_calls >= 0),
    simultaneous_access integer NOT NULL DEFAULT 1 CHECK (simultaneous_access >= 0),
    calls_per_second    integer NOT NULL DEFAULT 0 CHECK (calls_per_second >= 0),
    second_started_at   timestamptz,             -- the running second of calls_per_second ...
    calls_in_second     integer NOT NULL DEFAULT 0, -- ... and the calls allowed in it
    max_price_micros_per_minute bigint CHECK (max_price_micros_per_minute >= 0),
    locked              boolean NOT NULL DEFAULT false,
    language            text NOT NULL DEFAULT 'en',
    timezone            text NOT NULL DEFAULT 'UTC',
    expiry_mode         smallint NOT NULL DEFAULT 0 CHECK (expiry_mode BETWEEN 0 AND 3),
    expires_at          timestamptz,
    expiry_days         integer CHECK (expiry_days > 0),
    restriction         smallint NOT NULL DEFAULT 0 CHECK (restriction BETWEEN 0 AND 2),
    first_use_at        timestamptz,
    created_at          timestamptz NOT NULL,
    CONSTRAINT account_credit_limit_is_postpaid
        CHECK (payment_type = 'postpaid' OR credit_limit_micros = 0),
    CONSTRAINT account_within_credit_limit
        CHECK (balance_micros - held_micros >= -credit_limit_micros),
    CONSTRAINT account_expiry_is_complete
        CHECK (CASE expiry_mode WHEN 0 THEN true
                                WHEN 1 THEN expires_at IS NOT NULL
                                ELSE expiry_days IS NOT NULL END)
);

CREATE TABLE callerid (
    number     text PRIMARY KEY CHECK (number ~ '^[0-9]{3,15}$'),
    account_id bigint NOT NULL REFERENCES account,
    active     boolean NOT NULL DEFAULT true
);
CREATE INDEX callerid_account ON callerid (account_id);

CREATE TABLE account_restriction (
    account_id bigint NOT NULL REFERENCES account,
    rule       text NOT NULL CHECK (rule <> ''),
    PRIMARY KEY (account_id, rule)
);

-- A call session is also its CDR. account_id 0: nobody was found (such calls are always denied).
CREATE TABLE call_session (
    account_id      bigint NOT NULL,
    call_id         text NOT NULL,
    state           text NOT NULL CHECK (state IN ('open', 'settled', 'void', 'denied')),
    server          text NOT NULL,               -- the Asterisk that asked: its address
    uniqueid        text NOT NULL,
    channel         text NOT NULL,
    identified_by   text,                        -- account, accountcode, callerid, pin
    callerid        text NOT NULL,
    dialled         text NOT NULL,
    destination     text,                        -- the normalised number
    reason          text,                        -- why not, when denied or voided
    authorized_at   timestamptz NOT NULL,
    expires_at      timestamptz,                 -- by then the call is surely over
    limit_ms        bigint,
    held_micros     bigint NOT NULL DEFAULT 0 CHECK (held_micros >= 0),
    currency        char(3),
    plan_id         bigint,
    version_id      bigint,
    prefix          text,                        -- with the version and the date it names the rate
    rate_effective_from timestamptz,
    trunk_ids       bigint[],                    -- the routes, in the order in which they are tried
    route           smallint,                    -- the one dialled last, 1..n
    dialstatus      text,
    hangupcause     integer,
    answered_at     timestamptz,
    ended_at        timestamptz,
    talk_ms         bigint CHECK (talk_ms >= 0),
    billed_seconds  integer CHECK (billed_seconds >= 0),
    cost_micros     bigint CHECK (cost_micros >= 0),
    buy_cost_micros bigint CHECK (buy_cost_micros >= 0),
    price_lines     jsonb,                       -- the price, line by line
    witness         text,                        -- who told the end: handler, call, orphan
    review          text,                        -- what an operator should look at, and why
    settled_at      timestamptz,
    PRIMARY KEY (account_id, call_id)
) WITH (fillfactor = 70);
CREATE INDEX call_session_open ON call_session (expires_at) WHERE state = 'open';
CREATE INDEX call_session_open_channel ON call_session (uniqueid) WHERE state = 'open';
CREATE INDEX call_session_newest ON call_session (authorized_at);
CREATE INDEX call_session_call_id ON call_session (call_id);

-- One row moves an amount from one side to the other, so every row balances by itself.
-- 'customer' is the account itself; the other names are the business's own accounts, which have
-- no running balance row (it would be one hot row for the whole system).
CREATE TABLE ledger_entry (
    account_id     bigint NOT NULL,
    period         date NOT NULL CHECK (extract(day FROM period) = 1), -- month of the call's start
    movement_id    text NOT NULL,                -- deterministic: doing it again does nothing
    part           smallint NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('call', 'refill')),
    debit          text NOT NULL CHECK (debit IN ('customer', 'refills', 'overrun')),
    credit         text NOT NULL CHECK (credit IN ('customer', 'revenue')),
    amount_micros  bigint NOT NULL CHECK (amount_micros > 0),
    currency       char(3) NOT NULL,
    balance_micros bigint NOT NULL,              -- the account's balance after it
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    note           text NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, period, movement_id, part),
    CHECK (debit <> credit)
);
CREATE INDEX ledger_entry_newest ON ledger_entry (account_id, created_at);

CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are append-only: % refused', TG_OP;
END
$$;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

-- Wrong account numbers typed or passed, counted where a Redis flush does not forget them.
CREATE TABLE number_failures (
    scope       text NOT NULL CHECK (scope IN ('caller', 'source')),
    key         text NOT NULL,
    failures    integer NOT NULL,
    window_ends timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);

-- The daemons hold the rating tables in memory and reload them when told so.
CREATE FUNCTION notify_tariffs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY tariffs;
    RETURN NULL;
END
$$;
CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON rate_card_version
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();
CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON rate_card_trunk
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();
CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON call_plan_card
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();
CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON call_plan
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();
CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON trunk
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();
