SELECT request_sha256, status, answer FROM answered_request WHERE operator_id = $1 AND key = $2
