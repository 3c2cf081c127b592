-- Give credit once: the same movement id does nothing (no row), whatever the period.
-- $1 account, $2 period, $3 movement id, $4 amount, $5 at, $6 by, $7 note
WITH fresh AS (
    SELECT a.id FROM account a
    WHERE a.id = $1 AND NOT EXISTS (
        SELECT FROM ledger_entry e
        WHERE e.account_id = $1 AND e.movement_id = $3 AND e.kind = 'refill')
    FOR UPDATE
), moved AS (
    UPDATE account a SET balance_micros = a.balance_micros + $4
    FROM fresh WHERE a.id = fresh.id
    RETURNING a.id, a.balance_micros, a.currency
)
INSERT INTO ledger_entry (
    account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
    balance_micros, created_at, created_by, note)
SELECT id, $2, $3, 0, 'refill', 'refills', 'customer', $4, currency, balance_micros, $5, $6, $7
FROM moved
RETURNING balance_micros
