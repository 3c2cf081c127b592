-- The rates of exchange against a base currency ($1).
SELECT currency, effective_from, per_base FROM exchange_rate WHERE base = $1
