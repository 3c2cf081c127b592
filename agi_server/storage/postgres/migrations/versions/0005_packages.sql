-- Free minutes or calls of a period, consumed before money. The previous release knows none: the
-- calls that it decides are paid with money. What it settles keeps all units that were held for it.
CREATE TABLE package (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text NOT NULL UNIQUE CHECK (name <> ''),
    unit      text NOT NULL CHECK (unit IN ('seconds', 'calls')),
    amount    bigint NOT NULL CHECK (amount BETWEEN 0 AND 1000000000), -- of units, in each period
    period    text NOT NULL CHECK (period IN ('day', 'week', 'month')),
    first_day smallint NOT NULL
        CHECK (first_day BETWEEN 1 AND CASE period WHEN 'month' THEN 28 ELSE 7 END),
    prefixes  text[] NOT NULL DEFAULT '{}'           -- of the numbers it pays for; empty: all
);

-- The packages of a plan, in the order in which they are used up.
CREATE TABLE call_plan_package (
    plan_id    bigint NOT NULL REFERENCES call_plan ON DELETE CASCADE,
    position   smallint NOT NULL,
    package_id bigint NOT NULL REFERENCES package,
    PRIMARY KEY (plan_id, position),
    UNIQUE (plan_id, package_id)
);

-- What an account's calls have taken of a package in a period: what ended calls used and what calls
-- in progress hold. A row appears with the period's first call. The period is known by its first day
-- in the account's zone, so that another zone gives nobody a second one.
CREATE TABLE package_use (
    account_id bigint NOT NULL,
    begins_on  date NOT NULL,
    package_id bigint NOT NULL,
    ends_on    date NOT NULL,                        -- first day of the next period
    amount     bigint NOT NULL,                      -- the package's when the last call took of it
    taken      bigint NOT NULL,
    PRIMARY KEY (account_id, begins_on, package_id),
    CHECK (ends_on > begins_on),
    CONSTRAINT package_use_within_amount CHECK (taken BETWEEN 0 AND amount)
) WITH (fillfactor = 70);

-- package_held is what was promised to the call; package_used is null until it ends.
ALTER TABLE call_session
    ADD COLUMN package_id        bigint,
    ADD COLUMN package_begins_on date,
    ADD COLUMN package_held      bigint NOT NULL DEFAULT 0 CHECK (package_held >= 0),
    ADD COLUMN package_used      bigint,
    ADD CONSTRAINT call_session_package_used_of_held
        CHECK (package_used BETWEEN 0 AND package_held);

CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON package
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();
CREATE TRIGGER tariffs_changed AFTER INSERT OR UPDATE OR DELETE ON call_plan_package
    FOR EACH STATEMENT EXECUTE FUNCTION notify_tariffs();
