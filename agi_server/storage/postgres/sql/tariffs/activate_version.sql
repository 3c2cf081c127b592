-- From $4 on (null: from now, $3) the version prices calls. No row: there is no such version.
UPDATE rate_card_version
SET active = active OR $4::timestamptz IS NULL OR $4 <= $3, activated_at = $3, effective_at = $4
WHERE card_id = $1 AND version = $2
RETURNING version
