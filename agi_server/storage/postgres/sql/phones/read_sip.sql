-- SIP phones of an account ($1) or of all, as pjsip.conf would have them.
SELECT e.id, e.context, e.disallow, e.allow, e.transport, e.language, e.accountcode,
       e.allow_transfer, e.direct_media, e.dtmf_mode, e.rtp_symmetric, e.force_rport,
       e.rewrite_contact, a.md5_cred, a.realm, o.max_contacts, o.remove_existing
FROM phone p
JOIN asterisk.ps_endpoints e ON e.id = p.user_name
JOIN asterisk.ps_auths a ON a.id = p.user_name
JOIN asterisk.ps_aors o ON o.id = p.user_name
WHERE p.technology = 'sip' AND ($1::bigint IS NULL OR p.account_id = $1)
ORDER BY e.id
