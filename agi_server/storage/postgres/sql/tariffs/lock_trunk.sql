-- The trunk of this name, which nobody else changes until the transaction ends.
SELECT id, name, dial, enabled, strip, add_prefix, capacity FROM trunk WHERE name = $1 FOR UPDATE
