-- When an account was deleted, which is for good: whatever is done to it, it is never active again.
-- An addition: the previous release, which does not know of it, deletes by cancelling alone.

ALTER TABLE account ADD COLUMN deleted_at timestamptz;
ALTER TABLE account ADD CONSTRAINT account_deleted_is_cancelled
    CHECK (deleted_at IS NULL OR status = 0);
