-- The reference of a refill is whoever's who gave it, and no month is part of it: asked again after
-- the month has changed, it must do nothing either.
CREATE UNIQUE INDEX ledger_entry_refill_once ON ledger_entry (account_id, movement_id)
    WHERE kind = 'refill';
