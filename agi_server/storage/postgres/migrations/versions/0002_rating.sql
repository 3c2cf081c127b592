-- Everything a price can depend on. Only additions with defaults: the previous release goes on
-- working on this schema until it is replaced.

ALTER TABLE trunk
    ADD COLUMN strip      text NOT NULL DEFAULT '' CHECK (strip ~ '^[0-9]{0,15}$'),
    ADD COLUMN add_prefix text NOT NULL DEFAULT '' CHECK (add_prefix ~ '^[+]?[0-9]{0,15}$'),
    ADD COLUMN capacity   integer NOT NULL DEFAULT 0 CHECK (capacity >= 0); -- 0: not counted

-- A version that was activated (activated_at) prices calls from effective_at on, or from its
-- activation where that is null, until a later one does. `active` is what the previous release goes
-- by: the version activated last that was not for a later date.
ALTER TABLE rate_card_version
    ADD COLUMN rules        jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN effective_at timestamptz;

-- Null where the columns say all of the rate; otherwise the whole rate.
ALTER TABLE rate ADD COLUMN terms jsonb;

ALTER TABLE call_plan
    ADD COLUMN route_order text NOT NULL DEFAULT 'priority'
        CHECK (route_order IN ('lcr', 'lcd', 'priority')),
    ADD COLUMN sell_price  text NOT NULL DEFAULT 'first_card'
        CHECK (sell_price IN ('first_card', 'route')),
    ADD COLUMN allow_loss  boolean NOT NULL DEFAULT false;

ALTER TABLE account
    ADD COLUMN discount_basis_points integer NOT NULL DEFAULT 0
        CHECK (discount_basis_points BETWEEN 0 AND 9999),
    ADD COLUMN country text CHECK (country ~ '^[A-Z]{2}$');

-- From a date on one unit of the base currency is worth so much of another.
CREATE TABLE exchange_rate (
    base           char(3) NOT NULL CHECK (base ~ '^[A-Z]{3}$'),
    currency       char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    effective_from timestamptz NOT NULL,
    per_base       numeric(24, 12) NOT NULL CHECK (per_base > 0),
    PRIMARY KEY (base, currency, effective_from),
    CHECK (base <> currency)
);
CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON exchange_rate
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();

-- What settling and re-rating need. version_id, prefix and rate_effective_from name the rate of the
-- first card; exchange is the factor from its currency to the account's (null: 1), a fraction.
ALTER TABLE call_session
    ADD COLUMN discount_basis_points integer NOT NULL DEFAULT 0,
    ADD COLUMN sell_price            text NOT NULL DEFAULT 'first_card',
    ADD COLUMN exchange              text,
    ADD COLUMN routes                jsonb,      -- the rate of each of trunk_ids; null: all as above
    ADD COLUMN answer_by             timestamptz, -- the last second that the hold reckons with
    ADD COLUMN corrected_cost_micros bigint CHECK (corrected_cost_micros >= 0);

ALTER TABLE ledger_entry
    DROP CONSTRAINT ledger_entry_kind_check,
    DROP CONSTRAINT ledger_entry_debit_check,
    DROP CONSTRAINT ledger_entry_credit_check,
    ADD CONSTRAINT ledger_entry_kind_check CHECK (kind IN ('call', 'refill', 'correction')),
    ADD CONSTRAINT ledger_entry_debit_check
        CHECK (debit IN ('customer', 'refills', 'overrun', 'revenue')),
    ADD CONSTRAINT ledger_entry_credit_check CHECK (credit IN ('customer', 'revenue', 'overrun'));
