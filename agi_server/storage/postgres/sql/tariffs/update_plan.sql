-- Change what is not null. No row: there is no such plan ($1).
UPDATE call_plan SET route_order = coalesce($2, route_order),
                     sell_price = coalesce($3, sell_price), allow_loss = coalesce($4, allow_loss)
WHERE name = $1
RETURNING id
