-- The open sessions of all accounts, to rebuild Redis from: those of its trunks whose capacity is
-- counted, if the first one's is, in their order.
SELECT s.account_id, s.call_id, s.expires_at,
       (SELECT array_agg(t.id ORDER BY array_position(s.trunk_ids, t.id)) FROM trunk t
        WHERE t.id = ANY (s.trunk_ids) AND t.capacity > 0
        HAVING bool_or(t.id = s.trunk_ids[1])) AS counted_trunk_ids
FROM call_session s WHERE s.state = 'open'
