-- Deleted accounts, which are few: lists of groups, series and campaigns do not count them. An
-- addition; the previous release does not mind it.

CREATE INDEX account_deleted ON account (id) WHERE deleted_at IS NOT NULL;
