-- Let a group ($1) use a call plan by its name ($2). No row: there is no such plan.
WITH plan AS (SELECT id FROM call_plan WHERE name = $2), added AS (
    INSERT INTO group_plan (group_id, plan_id) SELECT $1, id FROM plan ON CONFLICT DO NOTHING
)
SELECT id FROM plan
