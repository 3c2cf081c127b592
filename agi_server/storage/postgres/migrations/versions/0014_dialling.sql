-- How the customers of a call plan dial, where it says more than their country. Only additions with
-- defaults: the previous release goes on working on this schema until it is replaced.

ALTER TABLE call_plan
    ADD COLUMN country       text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),
    ADD COLUMN area_code     text NOT NULL DEFAULT '' CHECK (area_code ~ '^[0-9]{0,15}$'),
    ADD COLUMN local_lengths smallint[] NOT NULL DEFAULT '{}',
    ADD COLUMN short_codes   text[] NOT NULL DEFAULT '{}';
