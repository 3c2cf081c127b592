DELETE FROM call_plan_card WHERE plan_id = $1
