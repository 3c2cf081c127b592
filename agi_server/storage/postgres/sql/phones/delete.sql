-- Take an account's ($1) phones away from Asterisk, of one technology ($2) or all; registrations
-- go too. The user names that are gone.
WITH gone AS (
    DELETE FROM phone WHERE account_id = $1 AND ($2::text IS NULL OR technology = $2)
    RETURNING user_name
), endpoint AS (
    DELETE FROM asterisk.ps_endpoints e USING gone WHERE e.id = gone.user_name
), auth AS (
    DELETE FROM asterisk.ps_auths a USING gone WHERE a.id = gone.user_name
), aor AS (
    DELETE FROM asterisk.ps_aors o USING gone WHERE o.id = gone.user_name
), contact AS (
    DELETE FROM asterisk.ps_contacts c USING gone WHERE c.endpoint = gone.user_name
), iax AS (
    DELETE FROM asterisk.iaxfriends i USING gone WHERE i.name = gone.user_name
)
SELECT user_name FROM gone
