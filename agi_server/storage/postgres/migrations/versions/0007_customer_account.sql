-- The whole customer account (shared/accounts.md). Only additions with defaults: the previous
-- release goes on working on this schema until it is replaced.

CREATE TABLE series (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    digits      smallint NOT NULL DEFAULT 7 CHECK (digits BETWEEN 1 AND 18),
    next_serial bigint NOT NULL DEFAULT 1 CHECK (next_serial >= 0)
);

CREATE TABLE did_group (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> '')
);

CREATE TABLE campaign (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    description text NOT NULL DEFAULT ''
);

-- What a group's customers may do; defaults has texts by field name for new customers.
ALTER TABLE account_group
    ADD COLUMN may_self_care        boolean NOT NULL DEFAULT true,
    ADD COLUMN may_top_up           boolean NOT NULL DEFAULT true,
    ADD COLUMN may_request_services boolean NOT NULL DEFAULT true,
    ADD COLUMN defaults             jsonb NOT NULL DEFAULT '{}';

-- The call plans that a group may use; none: all.
CREATE TABLE group_plan (
    group_id bigint NOT NULL REFERENCES account_group ON DELETE CASCADE,
    plan_id  bigint NOT NULL REFERENCES call_plan,
    PRIMARY KEY (group_id, plan_id)
);

-- What calls need. hour and day are those running: they begin with the first charge after the last.
ALTER TABLE account
    ADD COLUMN presented_callerid       text CHECK (presented_callerid ~ '^([0-9]{3,15}|withheld)$'),
    ADD COLUMN max_cost_micros_per_call bigint CHECK (max_cost_micros_per_call >= 0),
    ADD COLUMN max_cost_micros_per_hour bigint CHECK (max_cost_micros_per_hour >= 0),
    ADD COLUMN max_cost_micros_per_day  bigint CHECK (max_cost_micros_per_day >= 0),
    ADD COLUMN hour_started_at          timestamptz,
    ADD COLUMN spent_micros_in_hour     bigint NOT NULL DEFAULT 0,
    ADD COLUMN day_started_at           timestamptz,
    ADD COLUMN spent_micros_in_day      bigint NOT NULL DEFAULT 0;
CREATE INDEX account_status ON account (status, id);
CREATE INDEX account_group_members ON account (group_id, id);
CREATE INDEX account_plan ON account (plan_id, id);

-- What calls do not need, apart, so that the row which every call writes stays small.
CREATE TABLE customer (
    account_id          bigint PRIMARY KEY REFERENCES account,
    web_login           text UNIQUE CHECK (web_login <> ''),
    web_password_hash   text,
    lock_pin_hash       text,
    series_id           bigint REFERENCES series,
    serial              text,
    last_name           text,
    first_name          text,
    email               text,
    address             text,
    city                text,
    state               text,
    postal_code         text,
    phone               text,
    fax                 text,
    company_name        text,
    company_website     text,
    did_group_id        bigint REFERENCES did_group,
    run_service         boolean NOT NULL DEFAULT false,
    run_autorefill      boolean NOT NULL DEFAULT false,
    initial_balance_micros bigint NOT NULL DEFAULT 0 CHECK (initial_balance_micros >= 0),
    credit_limit_notification_micros bigint CHECK (credit_limit_notification_micros >= 0),
    mail_permitted      boolean NOT NULL DEFAULT true,
    notification_email  text,
    campaign_id         bigint REFERENCES campaign,
    create_sip          boolean NOT NULL DEFAULT false,
    create_iax          boolean NOT NULL DEFAULT false,
    mac_address         text UNIQUE CHECK (mac_address ~ '^([0-9A-F]{2}-){5}[0-9A-F]{2}$'),
    invoice_day         smallint CHECK (invoice_day BETWEEN 1 AND 28),
    vat_basis_points    integer NOT NULL DEFAULT 0 CHECK (vat_basis_points BETWEEN 0 AND 9999),
    vat_number          text,
    traffic_minutes_per_month integer CHECK (traffic_minutes_per_month >= 0),
    target_traffic      text,
    confirmed_at        timestamptz,             -- by the link in the confirmation mail
    -- The words by which a customer is found, whole and in parts, in small letters.
    words tsvector GENERATED ALWAYS AS (array_to_tsvector(array_remove(
        regexp_split_to_array(lower(
            coalesce(last_name, '') || ' ' || coalesce(first_name, '') || ' '
            || coalesce(company_name, '') || ' ' || coalesce(email, '') || ' '
            || coalesce(web_login, '') || ' ' || coalesce(city, '')), '\s+')
        || regexp_split_to_array(lower(
            coalesce(last_name, '') || ' ' || coalesce(first_name, '') || ' '
            || coalesce(company_name, '') || ' ' || coalesce(email, '') || ' '
            || coalesce(phone, '') || ' ' || coalesce(fax, '') || ' '
            || coalesce(serial, '') || ' ' || replace(coalesce(mac_address, ''), '-', '')),
            '[^[:alnum:]]+'),
        ''))) STORED,
    UNIQUE (series_id, serial)
);
CREATE INDEX customer_words ON customer USING gin (words);
CREATE INDEX customer_campaign ON customer (campaign_id, account_id);
CREATE INDEX callerid_digits ON callerid (number text_pattern_ops);

INSERT INTO customer (account_id) SELECT id FROM account;

-- An account has this row from its first instant, also when the previous release creates it.
CREATE FUNCTION add_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customer (account_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER account_has_customer AFTER INSERT ON account
    FOR EACH ROW EXECUTE FUNCTION add_customer();

-- Who changed what: texts as they are shown; of a secret only that it changed.
CREATE TABLE account_audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    field      text NOT NULL,
    old        text,
    new        text
);
CREATE INDEX account_audit_newest ON account_audit (account_id, id);

CREATE TABLE account_note (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account,
    written_at timestamptz NOT NULL,
    author     text NOT NULL,
    note       text NOT NULL CHECK (note <> '')
);
CREATE INDEX account_note_newest ON account_note (account_id, id);
