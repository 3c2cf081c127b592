DELETE FROM call_plan_package WHERE plan_id = $1
