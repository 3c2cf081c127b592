-- A code of a step ($2) counts once: no row when one of it or of a later one was used before.
UPDATE operator SET totp_last_step = $2 WHERE id = $1 AND totp_last_step < $2 RETURNING id
