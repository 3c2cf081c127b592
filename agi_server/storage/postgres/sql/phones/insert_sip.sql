-- What Asterisk needs to let a phone register and call: $1 user name, $2 account number, $3 MD5 of
-- user name, realm ($4) and secret, $5 context, $6 codecs, $7 transport or null, $8 language,
-- $9 registrations at a time. A transferred call would go on unlimited and unbilled.
WITH auth AS (
    INSERT INTO asterisk.ps_auths (id, auth_type, username, md5_cred, realm)
    VALUES ($1, 'md5', $1, $3, $4)
), aor AS (
    INSERT INTO asterisk.ps_aors (id, max_contacts, remove_existing)
    VALUES ($1, $9, 'yes')
)
INSERT INTO asterisk.ps_endpoints (
    id, aors, auth, context, disallow, allow, transport, language, accountcode,
    allow_transfer, direct_media, dtmf_mode, rtp_symmetric, force_rport, rewrite_contact)
VALUES ($1, $1, $1, $5, 'all', $6, $7, $8, $2, 'no', 'no', 'auto_info', 'yes', 'yes', 'yes')
