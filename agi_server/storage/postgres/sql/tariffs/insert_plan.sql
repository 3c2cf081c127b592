-- No row: the name is taken.
INSERT INTO call_plan (name, route_order, sell_price, allow_loss, hold_mode, country, area_code,
                       local_lengths, short_codes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (name) DO NOTHING
RETURNING id
