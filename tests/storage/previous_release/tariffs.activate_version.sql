-- No row: there is no such version.
UPDATE rate_card_version
SET active = true, activated_at = CASE WHEN active THEN activated_at ELSE $3 END
WHERE card_id = $1 AND version = $2
RETURNING version
