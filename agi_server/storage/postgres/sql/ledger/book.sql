-- Book a movement once: the same id does nothing (no row), whatever the period. The balance follows
-- where one of the sides is the customer. A deleted account gets no refill (no row).
-- $1 account, $2 period, $3 movement id, $4 kind, $5 debit, $6 credit, $7 amount, $8 at, $9 by,
-- $10 note
WITH fresh AS (
    SELECT a.id, a.balance_micros
           + CASE 'customer' WHEN $6 THEN $7::bigint WHEN $5 THEN -$7::bigint ELSE 0 END
           AS balance_micros
    FROM account a
    WHERE a.id = $1 AND NOT ($4 = 'refill' AND a.deleted_at IS NOT NULL) AND NOT EXISTS (
        SELECT FROM ledger_entry e
        WHERE e.account_id = $1 AND e.movement_id = $3 AND e.kind <> 'call')
    FOR UPDATE
), moved AS (
    UPDATE account a SET balance_micros = fresh.balance_micros
    FROM fresh WHERE a.id = fresh.id
    RETURNING a.id, a.balance_micros, a.currency
)
INSERT INTO ledger_entry (
    account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
    balance_micros, created_at, created_by, note)
SELECT id, $2, $3, 0, $4, $5, $6, $7, currency, balance_micros, $8, $9, $10
FROM moved
RETURNING balance_micros
