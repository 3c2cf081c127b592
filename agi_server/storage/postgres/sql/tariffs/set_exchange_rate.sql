-- From a date ($3) on, one unit of the base currency ($1) is worth so much ($4) of another ($2).
INSERT INTO exchange_rate (base, currency, effective_from, per_base) VALUES ($1, $2, $3, $4)
ON CONFLICT (base, currency, effective_from) DO UPDATE SET per_base = $4
