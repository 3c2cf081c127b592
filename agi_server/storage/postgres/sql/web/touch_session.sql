UPDATE operator_session SET seen_at = $2 WHERE token_sha256 = $1
