-- What is left by now of a package ($2) in an account's ($1) period with this first day ($3).
SELECT amount - taken FROM package_use WHERE account_id = $1 AND package_id = $2 AND begins_on = $3
