UPDATE answered_request SET status = $3, answer = $4 WHERE operator_id = $1 AND key = $2
