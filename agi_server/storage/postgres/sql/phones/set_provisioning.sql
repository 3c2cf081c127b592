-- Another device token ($3: its SHA-256) and what it unseals ($4) for an account's ($1) phone of a
-- technology ($2). No row: there is none.
UPDATE phone SET device_token_sha256 = $3, provisioning = $4
WHERE account_id = $1 AND technology = $2
RETURNING user_name
