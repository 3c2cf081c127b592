-- Two imports of one card at a time would give both the same version number.
SELECT id, currency FROM rate_card WHERE name = $1 FOR UPDATE
