-- People and programs that work with the business: on the web page with a password, by the API with
-- a token. Only hashes are kept of both.
CREATE TABLE operator (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._@-]{0,62}$'),
    role           text NOT NULL CHECK (role IN ('admin', 'support', 'reseller')),
    group_id       bigint REFERENCES account_group, -- the one whose customers a reseller works with
    password_hash  text NOT NULL,
    totp_secret    text,                            -- null: the password is enough
    totp_last_step bigint NOT NULL DEFAULT 0,       -- a code counts once
    language       text NOT NULL DEFAULT 'en',
    timezone       text NOT NULL DEFAULT 'UTC',
    disabled_at    timestamptz,
    created_at     timestamptz NOT NULL,
    CONSTRAINT operator_group_is_a_resellers CHECK ((role = 'reseller') = (group_id IS NOT NULL))
);

CREATE TABLE operator_session (
    token_sha256 bytea PRIMARY KEY,
    operator_id  bigint NOT NULL REFERENCES operator,
    created_at   timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX operator_session_operator ON operator_session (operator_id);

CREATE TABLE operator_token (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id  bigint NOT NULL REFERENCES operator,
    label        text NOT NULL CHECK (label <> ''),
    token_sha256 bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    UNIQUE (operator_id, label)
);

-- Refused sign-ins, by operator name and by network address; here so that no restart forgets them.
CREATE TABLE sign_in_failures (
    scope       text NOT NULL CHECK (scope IN ('name', 'source')),
    key         text NOT NULL,
    failures    integer NOT NULL,
    window_ends timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);

-- The answer to a request that moves money, so that the same request asked again gets it again. The
-- row is written in the transaction of the movement: there is none without the other.
CREATE TABLE answered_request (
    operator_id    bigint NOT NULL REFERENCES operator,
    key            text NOT NULL CHECK (key <> ''),
    request_sha256 bytea NOT NULL,
    status         smallint NOT NULL DEFAULT 0,
    answer         jsonb,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (operator_id, key)
);

-- What the lists of the console and the API read, page by page.
CREATE INDEX call_session_account_newest ON call_session (account_id, authorized_at);
CREATE INDEX call_session_refused ON call_session (reason, authorized_at)
    WHERE state IN ('denied', 'void');
CREATE INDEX call_session_not_put_through ON call_session (state, authorized_at)
    WHERE state IN ('denied', 'void');
