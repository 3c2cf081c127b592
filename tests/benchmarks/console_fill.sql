-- A business that has grown: bench.customers customers in groups of very different size, who made
-- bench.calls calls in 90 days. bench_console.py runs it on trunks and the card `world`, as the
-- owner of the tables and without their triggers, which would look at row after row.
SET session_replication_role = replica;
SET work_mem = '128MB';
SELECT setseed(0.42);

-- small: ten customers with few calls; silent: more than a few, with none at all; large: a tenth.
INSERT INTO account_group (name)
SELECT * FROM unnest(ARRAY['small', 'silent', 'large']) UNION ALL
SELECT 'shop-' || n FROM generate_series(1, 40) n;
INSERT INTO series (name, next_serial) VALUES ('cards', 1000000), ('vouchers', 1);
INSERT INTO campaign (name) SELECT 'campaign-' || n FROM generate_series(1, 12) n;
INSERT INTO did_group (name) SELECT 'city-' || n FROM generate_series(1, 30) n;

INSERT INTO account (account_number, plan_id, group_id, currency, created_at, status)
SELECT (3000000000 + n)::text, (SELECT min(id) FROM call_plan),
       (SELECT id FROM account_group WHERE name = CASE
           WHEN n BETWEEN customers / 2 + 1 AND customers / 2 + 10 THEN 'small'
           WHEN n > customers * 0.97 THEN 'silent'
           WHEN n % 10 = 0 THEN 'large'
           WHEN n % 10 < 5 THEN 'shop-' || 1 + floor(40 * power(n * 7919 % 10007 / 10007.0, 3))::int END),
       CASE WHEN n % 11 = 0 THEN 'EUR' ELSE 'USD' END, now() - interval '1 year',
       CASE WHEN n % 500 = 0 THEN 6 WHEN n % 77 = 0 THEN 4 ELSE 1 END
FROM (SELECT current_setting('bench.customers')::int AS customers) c,
     generate_series(1, customers) n;
INSERT INTO customer (account_id, last_name, first_name, email, phone, series_id, serial,
                      mac_address, campaign_id)
SELECT id, 'Family' || id, 'Ann', 'ann' || id || '@example.com', '+4420' || (70000000 + id),
       CASE WHEN id % 3 = 0 THEN 1 END, lpad(id::text, 7, '0'),
       upper(substr(regexp_replace(lpad(to_hex(id), 12, '0'), '(..)', '\1-', 'g'), 1, 17)),
       CASE WHEN id % 9 = 0 THEN 1 + id % 12 END
FROM account;
INSERT INTO callerid (number, account_id) SELECT (440000000000 + id)::text, id FROM account;

-- Calls: the first customers make most of them, a hundredth the very first.
CREATE TEMPORARY TABLE place AS
SELECT row_number() OVER (ORDER BY prefix) AS place, version_id, prefix, price_micros_per_minute,
       buy_price_micros_per_minute
FROM rate WHERE version_id = (SELECT max(id) FROM rate_card_version);
CREATE TEMPORARY TABLE line AS
SELECT array_agg(id ORDER BY id) AS trunks, count(*)::int AS many FROM trunk;
INSERT INTO call_session (
    account_id, call_id, state, server, uniqueid, channel, identified_by, callerid, dialled,
    destination, reason, authorized_at, expires_at, limit_ms, currency, plan_id, version_id, prefix,
    trunk_ids, route, dialstatus, hangupcause, answered_at, ended_at, talk_ms, billed_seconds,
    cost_micros, buy_cost_micros, witness, settled_at)
SELECT c.account, c.account || '-' || md5(n::text), c.state, '127.0.0.1', '1790000000.' || n,
       'PJSIP/' || c.account || '-' || lpad(to_hex(n), 8, '0'), 'callerid',
       (440000000000 + c.account)::text, p.prefix || '5550' || n % 100000,
       p.prefix || '5550' || n % 100000,
       CASE c.state WHEN 'void' THEN 'cancelled' WHEN 'denied' THEN CASE
           WHEN c.account = 0 THEN 'account_not_found'
           ELSE (ARRAY['no_credit', 'no_credit', 'no_credit', 'number_invalid', 'no_rate',
                       'account_suspended', 'number_restricted', 'too_many_calls'])[1 + n % 8] END
       END,
       c.at, CASE WHEN c.state = 'open' THEN now() + interval '1 hour' END,
       CASE WHEN c.is_put_through THEN 3600000 END,
       a.currency, a.plan_id,
       CASE WHEN c.is_put_through THEN p.version_id END, p.prefix,
       CASE WHEN c.is_put_through THEN l.trunks[1 + c.line % l.many :] END,
       CASE WHEN c.state = 'settled' THEN 1 + (n % 10 = 0 AND c.line % l.many + 1 < l.many)::int
       END,
       CASE WHEN c.talk_ms > 0 THEN 'ANSWER' WHEN c.state = 'settled' THEN 'NOANSWER' END,
       CASE WHEN c.state = 'settled' THEN 16 END,
       CASE WHEN c.talk_ms > 0 THEN c.at + interval '8 seconds' END,
       CASE WHEN c.state = 'settled' THEN c.at + (c.talk_ms + 8000) * interval '1 millisecond' END,
       CASE WHEN c.state = 'settled' THEN c.talk_ms END,
       CASE WHEN c.state = 'settled' THEN ceil(c.talk_ms / 1000.0) END,
       CASE WHEN c.state = 'settled'
            THEN ceil(ceil(c.talk_ms / 1000.0) * p.price_micros_per_minute / 60) END,
       CASE WHEN c.state = 'settled'
            THEN ceil(ceil(c.talk_ms / 1000.0) * p.buy_price_micros_per_minute / 60) END,
       CASE WHEN c.state = 'settled' THEN 'handler' END,
       CASE WHEN c.state = 'settled' THEN c.at + (c.talk_ms + 8000) * interval '1 millisecond' END
FROM (
    SELECT n, at, line, place, state, state IN ('settled', 'open') AS is_put_through,
           CASE WHEN state = 'settled' AND answer < 0.6 THEN 1 - 180000 * ln(1 - talk) ELSE 0
           END::bigint AS talk_ms,
           CASE WHEN state = 'denied' AND answer < 0.1 THEN 0
                ELSE 1 + floor(0.97 * customers * power(skew, 2.5))::int END AS account
    FROM (
        SELECT n, customers, random() AS skew, random() AS answer, random() AS talk,
               floor(4 * random() + 5 * power(random(), 3))::int AS line,
               1 + floor(power(random(), 3) * (SELECT count(*) FROM place))::int AS place,
               now() - interval '90 days' * (1 - n::float8 / (calls + 1)) AS at,
               CASE WHEN n > calls - 200 THEN 'open' WHEN n % 9 = 0 THEN 'denied'
                    WHEN n % 50 = 1 THEN 'void' ELSE 'settled' END AS state
        FROM (SELECT current_setting('bench.customers')::int AS customers,
                     current_setting('bench.calls')::int AS calls) s, generate_series(1, calls) n
    ) drawn
) c
CROSS JOIN line l
JOIN place p ON p.place = c.place
LEFT JOIN account a ON a.id = c.account
ORDER BY n;
UPDATE account a SET open_calls = o.calls
FROM (SELECT account_id, count(*) AS calls FROM call_session WHERE state = 'open' GROUP BY 1) o
WHERE a.id = o.account_id;

-- Money: a refill that suffices for all of a customer's calls, and each call's charge.
INSERT INTO ledger_entry (account_id, period, movement_id, part, kind, debit, credit,
                          amount_micros, currency, balance_micros, created_at, created_by)
SELECT account_id, date_trunc('month', begun AT TIME ZONE 'UTC'), movement_id, 0, kind,
       CASE kind WHEN 'call' THEN 'customer' ELSE 'refills' END,
       CASE kind WHEN 'call' THEN 'revenue' ELSE 'customer' END, abs(moved), currency,
       sum(moved) OVER (PARTITION BY account_id ORDER BY at, movement_id), at, 'agi-server'
FROM (
    SELECT account_id, currency, 'call:' || call_id AS movement_id, 'call' AS kind,
           -cost_micros AS moved, authorized_at AS begun, settled_at AS at
    FROM call_session WHERE cost_micros > 0
    UNION ALL
    SELECT a.id, a.currency, 'refill:creation', 'refill',
           10000000 + coalesce((SELECT sum(s.cost_micros) FROM call_session s
                                WHERE s.account_id = a.id), 0)::bigint,
           now() - interval '100 days', now() - interval '100 days'
    FROM account a
) m;
UPDATE account a SET balance_micros = e.balance_micros
FROM (SELECT DISTINCT ON (account_id) account_id, balance_micros FROM ledger_entry
      ORDER BY account_id, created_at DESC, movement_id DESC) e
WHERE a.id = e.account_id;

INSERT INTO did (number, account_id, group_id, plan_id, created_at)
SELECT (493000000000 + n)::text, CASE WHEN n % 4 > 0 THEN 1 + n * 7919 % customers END,
       1 + n % 30, (SELECT min(id) FROM call_plan), now() - interval '1 year'
FROM (SELECT current_setting('bench.customers')::int AS customers) c,
     generate_series(1, 20000) n;
INSERT INTO did_destination (did_id, priority, kind, number)
SELECT id, priority, CASE priority WHEN 1 THEN 'sip' ELSE 'number' END,
       CASE priority WHEN 2 THEN '33123456789' END
FROM did, generate_series(1, 2) priority WHERE account_id IS NOT NULL;
INSERT INTO did_audit (number, changed_at, changed_by, field, new)
SELECT number, created_at, 'cli:ann', 'number', number FROM did;

INSERT INTO account_audit (account_id, changed_at, changed_by, field, old, new)
SELECT 1 + floor(customers * power(random(), 2))::int, now() - interval '90 days' * (200000 - n)
       / 200000, 'web:alice', 'city', 'London', 'Paris'
FROM (SELECT current_setting('bench.customers')::int AS customers) c,
     generate_series(1, 200000) n;
