-- Which time of waiting for confirmation an account ($1) is in, or will be in next.
SELECT confirmation_spell FROM customer WHERE account_id = $1
