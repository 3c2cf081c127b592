-- A new password hash ($2) and TOTP secret ($3, null: none).
UPDATE operator SET password_hash = $2, totp_secret = $3, totp_last_step = 0 WHERE id = $1
