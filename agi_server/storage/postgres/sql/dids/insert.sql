-- New DIDs, added at a time ($1): numbers ($2), accounts ($3), DID groups ($4), call plans ($5), valid
-- from ($6) and until ($7). No row for a number that is there already.
INSERT INTO did (number, account_id, group_id, plan_id, valid_from, valid_until, created_at)
SELECT n.number, n.account_id, n.group_id, n.plan_id, n.valid_from, n.valid_until, $1
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[],
            $7::timestamptz[])
     AS n (number, account_id, group_id, plan_id, valid_from, valid_until)
ON CONFLICT (number) DO NOTHING
RETURNING id, number
