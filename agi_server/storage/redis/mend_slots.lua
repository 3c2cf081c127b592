-- Add the slots of open calls that are missing; with ARGV[1] '1' also remove those of all others.
-- KEYS[1] the account's slots; ARGV: '0' or '1', then call id, lease in ms, call id, lease in ms, ...
-- Returns how many were added or removed.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local changed = 0
local open = {}
for i = 2, #ARGV, 2 do
    open[ARGV[i]] = true
    changed = changed + redis.call('ZADD', KEYS[1], 'NX', now_ms + ARGV[i + 1], ARGV[i])
end
if ARGV[1] == '1' then
    for _, call_id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
        if not open[call_id] then
            changed = changed + redis.call('ZREM', KEYS[1], call_id)
        end
    end
end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then
    redis.call('PEXPIREAT', KEYS[1], string.format('%d', last[2]))
end
return changed
