-- Give accounts ($1) the columns that are in the JSON $2.
WITH customers AS (
    UPDATE customer c SET campaign_id = (jsonb_populate_record(c, $2)).campaign_id
    WHERE c.account_id = ANY($1::bigint[]) AND $2::jsonb ? 'campaign_id'
)
UPDATE account a SET (status, group_id, plan_id) = (
    SELECT r.status, r.group_id, r.plan_id FROM jsonb_populate_record(a, $2) r
)
WHERE a.id = ANY($1::bigint[])
