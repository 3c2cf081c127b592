-- Sign an operator out everywhere.
DELETE FROM operator_session WHERE operator_id = $1
