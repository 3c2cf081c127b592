-- Lease a call on the first trunk that has room: KEYS are the trunks' calls by the end of their
-- lease (ms since the epoch), in the order of the routes.
-- ARGV[1] call id, ARGV[2] lease in ms, then the capacity of each key. Returns how many of the
-- first trunks are full; if it is all of them, nothing was leased.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #KEYS do
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now_ms)
    if redis.call('ZSCORE', KEYS[i], ARGV[1])
        or redis.call('ZCARD', KEYS[i]) < tonumber(ARGV[i + 2]) then
        redis.call('ZADD', KEYS[i], now_ms + ARGV[2], ARGV[1])
        local last = redis.call('ZREVRANGE', KEYS[i], 0, 0, 'WITHSCORES')
        redis.call('PEXPIREAT', KEYS[i], string.format('%d', last[2]))
        return i - 1
    end
end
return #KEYS
