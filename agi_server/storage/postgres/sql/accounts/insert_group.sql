-- No row: the name is taken.
INSERT INTO account_group (
    name, may_call, may_self_care, may_top_up, may_request_services, restriction, defaults)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO NOTHING
RETURNING id
