-- One session with the rate it was promised, for a daemon that did not authorize it itself.
SELECT s.account_id, s.call_id, s.state, s.uniqueid, s.server, s.authorized_at, s.expires_at,
       s.limit_ms, s.held_micros, s.currency, s.destination, s.prefix, s.trunk_ids,
       s.version_id, s.rate_effective_from AS effective_from, a.account_number,
       r.destination AS rate_destination, r.price_micros_per_minute, r.initial_s, r.increment_s,
       r.connection_fee_micros, r.minimum_charge_micros, r.buy_price_micros_per_minute,
       r.buy_initial_s, r.buy_increment_s
FROM call_session s
LEFT JOIN account a ON a.id = s.account_id
LEFT JOIN rate r ON r.version_id = s.version_id AND r.prefix = s.prefix
    AND r.effective_from IS NOT DISTINCT FROM s.rate_effective_from
WHERE s.account_id = $1 AND s.call_id = $2
