-- Phones of an account ($1) or of all, of one technology ($2) or all, and whether they are
-- registered with an Asterisk.
SELECT p.account_id, p.technology, p.user_name, p.created_at,
       coalesce(c.registered, i.regseconds > extract(epoch FROM now()), false) AS registered
FROM phone p
LEFT JOIN LATERAL (
    SELECT true AS registered FROM asterisk.ps_contacts c
    WHERE c.endpoint = p.user_name AND c.expiration_time > extract(epoch FROM now()) LIMIT 1
) c ON p.technology = 'sip'
LEFT JOIN asterisk.iaxfriends i ON p.technology = 'iax' AND i.name = p.user_name
WHERE ($1::bigint IS NULL OR p.account_id = $1) AND ($2::text IS NULL OR p.technology = $2)
ORDER BY p.account_id, p.technology
