-- IAX phones of an account ($1) or of all, as iax.conf would have them.
SELECT i.name, i.type, i.secret, i.auth, i.context, i.host, i.accountcode, i.disallow, i.allow,
       i.language, i.transfer, i.requirecalltoken
FROM phone p JOIN asterisk.iaxfriends i ON i.name = p.user_name
WHERE p.technology = 'iax' AND ($1::bigint IS NULL OR p.account_id = $1)
ORDER BY i.name
