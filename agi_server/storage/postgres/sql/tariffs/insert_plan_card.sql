-- No row: there is no such card ($3).
INSERT INTO call_plan_card (plan_id, position, card_id)
SELECT $1, $2, id FROM rate_card WHERE name = $3
RETURNING card_id
