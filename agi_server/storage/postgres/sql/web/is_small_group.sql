-- Whether a group ($1) has at most so many ($2) accounts.
SELECT count(*) <= $2 FROM (SELECT FROM account WHERE group_id = $1 LIMIT $2 + 1) members
