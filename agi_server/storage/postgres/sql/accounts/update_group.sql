-- Change what a group ($1) may do ($2 to $5) and its defaults ($6); null leaves it as it is.
UPDATE account_group SET
    may_call = coalesce($2, may_call),
    may_self_care = coalesce($3, may_self_care),
    may_top_up = coalesce($4, may_top_up),
    may_request_services = coalesce($5, may_request_services),
    defaults = coalesce($6, defaults)
WHERE id = $1
