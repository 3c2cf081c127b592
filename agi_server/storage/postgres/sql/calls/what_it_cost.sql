-- What a settled call ($1 its account, $2 its id) costs, was bought for and took of its package by now.
SELECT coalesce(corrected_cost_micros, cost_micros), coalesce(buy_cost_micros, 0), package_used
FROM call_session WHERE account_id = $1 AND call_id = $2
