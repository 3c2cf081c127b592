-- Deleted accounts leave a group ($1), a series ($2), a DID group ($3) or a campaign ($4), of which
-- one is given; their ids. Their serials stay. Locked in the order of their ids, as by others.
WITH gone AS (
    SELECT a.id
    FROM account a JOIN customer c ON c.account_id = a.id
    WHERE a.deleted_at IS NOT NULL
      AND (a.group_id = $1 OR c.series_id = $2 OR c.did_group_id = $3 OR c.campaign_id = $4)
    ORDER BY a.id FOR UPDATE OF a
), grouped AS (
    UPDATE account SET group_id = NULL WHERE id IN (SELECT id FROM gone) AND group_id = $1
), others AS (
    UPDATE customer SET
        series_id = nullif(series_id, $2),
        did_group_id = nullif(did_group_id, $3),
        campaign_id = nullif(campaign_id, $4)
    WHERE account_id IN (SELECT id FROM gone) AND $1::bigint IS NULL
)
SELECT id FROM gone ORDER BY id
