-- An account ($1) was deleted ($2 when): nothing lets anybody in any more.
WITH secrets AS (
    UPDATE customer SET web_password_hash = NULL, lock_pin_hash = NULL WHERE account_id = $1
)
UPDATE account SET deleted_at = $2 WHERE id = $1
