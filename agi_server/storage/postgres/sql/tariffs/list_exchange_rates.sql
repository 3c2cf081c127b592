SELECT base, currency, effective_from, per_base FROM exchange_rate
ORDER BY base, currency, effective_from DESC
