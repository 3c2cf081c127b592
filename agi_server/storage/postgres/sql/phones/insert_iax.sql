-- The same for IAX, whose challenge needs the secret ($3) itself: $1 user name, $2 account number,
-- $4 context, $5 codecs, $6 language.
INSERT INTO asterisk.iaxfriends (
    name, username, type, secret, auth, context, host, accountcode, disallow, allow, language,
    transfer, requirecalltoken)
VALUES ($1, $1, 'friend', $3, 'md5', $4, 'dynamic', $2, 'all', $5, $6, 'no', 'yes')
