-- Change what is not null; hold_mode 'default' is again as the setting says. No row: there is no such plan ($1).
UPDATE call_plan SET route_order = coalesce($2, route_order),
                     sell_price = coalesce($3, sell_price), allow_loss = coalesce($4, allow_loss),
                     hold_mode = nullif(coalesce($5, hold_mode), 'default'),
                     country = coalesce($6, country), area_code = coalesce($7, area_code),
                     local_lengths = coalesce($8, local_lengths),
                     short_codes = coalesce($9, short_codes)
WHERE name = $1
RETURNING id
