-- No row: the name is taken.
INSERT INTO call_plan (name, route_order, sell_price, allow_loss, hold_mode) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO NOTHING
RETURNING id
