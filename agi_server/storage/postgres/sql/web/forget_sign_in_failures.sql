-- A right password ends the count of its name ($1); what has run out ($2 now) goes with it.
DELETE FROM sign_in_failures WHERE (scope = 'name' AND key = $1) OR window_ends <= $2
