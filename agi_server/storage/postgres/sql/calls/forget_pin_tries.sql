-- The PIN of an account ($1) was right: its tries count no more.
DELETE FROM number_failures WHERE scope = 'caller' AND key = 'pin:' || $1::bigint
