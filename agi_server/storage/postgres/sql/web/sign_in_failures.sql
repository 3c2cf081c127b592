-- How often sign-ins by a name ($1) and from an address ($2) were refused; $3 now.
SELECT coalesce(max(failures) FILTER (WHERE scope = 'name'), 0) AS by_name,
       coalesce(max(failures) FILTER (WHERE scope = 'source'), 0) AS by_source
FROM sign_in_failures
WHERE ((scope = 'name' AND key = $1) OR (scope = 'source' AND key = $2)) AND window_ends > $3
