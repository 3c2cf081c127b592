"""The ledger: append-only movements, the balances they add up to, and the proof that they do."""
