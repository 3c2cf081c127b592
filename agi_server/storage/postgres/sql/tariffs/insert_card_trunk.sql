-- No row: there is no such trunk ($3).
INSERT INTO rate_card_trunk (card_id, position, trunk_id)
SELECT $1, $2, id FROM trunk WHERE name = $3
RETURNING trunk_id
