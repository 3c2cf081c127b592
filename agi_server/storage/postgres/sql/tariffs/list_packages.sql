-- All packages, or the one of a name ($1), and the call plans that give them.
SELECT k.id, k.name, k.unit, k.amount, k.period, k.first_day, k.prefixes,
       ARRAY(SELECT p.name FROM call_plan_package pk JOIN call_plan p ON p.id = pk.plan_id
             WHERE pk.package_id = k.id ORDER BY p.name) AS plans
FROM package k
WHERE $1::text IS NULL OR k.name = $1
ORDER BY k.name
