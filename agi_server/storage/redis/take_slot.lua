-- KEYS[1] the account's slots: call ids by the end of their lease (ms since the epoch)
-- ARGV[1] call id, ARGV[2] limit (0: none), ARGV[3] lease in ms
-- Returns {1 taken or 0 full, slots in use}.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_ms)
local in_use = redis.call('ZCARD', KEYS[1])
local limit = tonumber(ARGV[2])
if limit > 0 and in_use >= limit then
    return {0, in_use}
end
redis.call('ZADD', KEYS[1], now_ms + ARGV[3], ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%d', last[2]))
return {1, in_use + 1}
