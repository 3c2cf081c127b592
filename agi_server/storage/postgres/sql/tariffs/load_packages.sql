-- The packages of all call plans, in the order in which they are used up.
SELECT pk.plan_id, k.id, k.name, k.unit, k.amount, k.period, k.first_day, k.prefixes
FROM call_plan_package pk JOIN package k ON k.id = pk.package_id
ORDER BY pk.plan_id, pk.position
