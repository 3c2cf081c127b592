-- Every account whose stored figures differ from what its entries and sessions add up to.
-- Each large table is read once, by several processes, and nothing is sorted or joined row by row:
-- sums that must be equal are compared for each account, and where equal sums are not enough,
-- because errors may cancel out, sums of fingerprints. $1 is a random number that nobody knew
-- before: a difference escapes with a chance of less than one in 2^30, and not twice.
WITH entry AS (
    SELECT account_id, balance_micros, currency,
           CASE WHEN credit = 'customer' THEN amount_micros
                WHEN debit = 'customer' THEN -amount_micros ELSE 0 END AS customer_micros,
           CASE WHEN kind = 'call' OR (kind = 'correction' AND movement_id LIKE 'correction:%:%')
                THEN CASE WHEN credit = 'revenue' THEN amount_micros ELSE -amount_micros END
           END AS charged_micros,
           CASE WHEN kind IN ('call', 'correction') THEN split_part(movement_id, ':', 2) END
               AS call_id,
           amount_micros <= 0 OR debit = credit AS unbalanced
    FROM ledger_entry
), entries AS (
    SELECT account_id, count(*) AS entries, sum(customer_micros) AS balance_micros,
           -- Each balance before an entry is one that another has left, so all but the first and
           -- the last cancel out.
           sum((hashint8extended(balance_micros, $1) >> 2)
               - (hashint8extended(balance_micros - customer_micros, $1) >> 2))
               FILTER (WHERE customer_micros <> 0) AS chain,
           sum(charged_micros) AS charged_micros,
           sum(charged_micros % 2147483647 * (hashtextextended(call_id, $1) & 2147483647))
               AS charges,
           count(*) FILTER (WHERE unbalanced) AS unbalanced,
           min(currency) AS first_currency, max(currency) AS last_currency
    FROM entry GROUP BY account_id
), session AS (
    SELECT account_id, call_id, state = 'open' AS open, held_micros,
           state = 'open' AND identified_by = 'forward' AS open_forward,
           CASE state WHEN 'settled' THEN coalesce(corrected_cost_micros, cost_micros) END
               AS cost_micros,
           coalesce(package_used, package_held) AS package_taken, package_id, package_begins_on
    FROM call_session WHERE state IN ('open', 'settled')
), sessions AS (
    SELECT account_id, sum(held_micros) FILTER (WHERE open) AS held_micros,
           count(*) FILTER (WHERE open) AS open_calls,
           count(*) FILTER (WHERE open_forward) AS open_forwards,
           sum(cost_micros) AS cost_micros,
           sum(cost_micros % 2147483647 * (hashtextextended(call_id, $1) & 2147483647)) AS costs,
           sum(package_taken % 2147483647
               * (hashtextextended(package_id || ' ' || package_begins_on, $1) & 2147483647))
               FILTER (WHERE package_id IS NOT NULL) AS packages
    FROM session GROUP BY account_id
), package AS (
    SELECT account_id,
           sum(taken % 2147483647
               * (hashtextextended(package_id || ' ' || begins_on, $1) & 2147483647)) AS packages
    FROM package_use GROUP BY account_id
), compared AS (
    SELECT coalesce(a.id, e.account_id, s.account_id, p.account_id) AS account_id, a.id IS NOT NULL AS there,
           coalesce(a.balance_micros, 0) AS balance_micros,
           coalesce(e.balance_micros, 0)::bigint AS entries_micros,
           coalesce(a.held_micros, 0) AS held_micros,
           coalesce(s.held_micros, 0)::bigint AS sessions_held_micros,
           coalesce(a.open_calls, 0) AS open_calls,
           coalesce(s.open_calls, 0)::integer AS open_sessions,
           coalesce(a.open_forwards, 0) AS open_forwards,
           coalesce(s.open_forwards, 0)::integer AS forward_sessions,
           coalesce(a.credit_limit_micros, 0) AS credit_limit_micros,
           coalesce(e.unbalanced, 0) > 0 AS unbalanced,
           coalesce(a.currency, e.first_currency) AS currency,
           coalesce(e.first_currency, a.currency) AS first_currency,
           coalesce(e.last_currency, a.currency) AS last_currency,
           coalesce(e.chain, 0)
               <> (hashint8extended(coalesce(e.balance_micros, 0)::bigint, $1) >> 2)
                  - (hashint8extended(0, $1) >> 2) AS chain_broken,
           coalesce(e.charged_micros, 0) <> coalesce(s.cost_micros, 0)
               OR (coalesce(e.charges, 0) - coalesce(s.costs, 0)) % 2147483647 <> 0
               AS charges_differ,
           (coalesce(p.packages, 0) - coalesce(s.packages, 0)) % 2147483647 <> 0 AS packages_differ
    FROM account a
    FULL JOIN entries e ON e.account_id = a.id
    FULL JOIN sessions s ON s.account_id = coalesce(a.id, e.account_id)
    FULL JOIN package p ON p.account_id = coalesce(a.id, e.account_id, s.account_id)
)
SELECT * FROM compared
WHERE NOT there
   OR balance_micros <> entries_micros
   OR held_micros <> sessions_held_micros
   OR open_calls <> open_sessions
   OR open_forwards <> forward_sessions
   OR balance_micros - held_micros < -credit_limit_micros
   OR unbalanced OR chain_broken OR charges_differ OR packages_differ
   OR first_currency <> currency OR last_currency <> currency
ORDER BY account_id
