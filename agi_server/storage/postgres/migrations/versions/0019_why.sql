-- Why an account was changed: said by whoever did it, or by the program of its own changes. An
-- addition: the previous release does not know of it.

ALTER TABLE account_audit ADD COLUMN reason text;
