-- Nobody else changes the plan of this name until the transaction ends.
SELECT id FROM call_plan WHERE name = $1 FOR UPDATE
