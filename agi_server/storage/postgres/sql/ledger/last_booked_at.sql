-- When an account ($1) was last debited or credited; null: never.
SELECT max(created_at) FROM ledger_entry WHERE account_id = $1
