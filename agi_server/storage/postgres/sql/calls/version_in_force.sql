-- The version that prices calls starting at a time ($2), of the card that a version ($1) is of. Also
-- one that has been activated again since: it was in force before, too.
SELECT v.id, v.rules
FROM rate_card_version v JOIN rate_card_activation a ON a.version_id = v.id
WHERE v.card_id = (SELECT card_id FROM rate_card_version WHERE id = $1) AND a.begins <= $2
ORDER BY a.begins DESC, a.activated_at DESC, v.id DESC LIMIT 1
