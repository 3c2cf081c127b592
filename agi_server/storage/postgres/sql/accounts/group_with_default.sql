-- The name of a group whose new customers get a field ($1) with a text ($2), if there is one.
SELECT name FROM account_group WHERE defaults ->> $1::text = $2::text ORDER BY name LIMIT 1
