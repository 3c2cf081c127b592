-- No row: there is no such package ($3).
INSERT INTO call_plan_package (plan_id, position, package_id)
SELECT $1, $2, id FROM package WHERE name = $3
RETURNING package_id
