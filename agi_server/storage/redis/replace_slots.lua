-- Make the account's slots what PostgreSQL says they are.
-- KEYS[1] the account's slots; ARGV: call id, lease in ms, call id, lease in ms, ...
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('DEL', KEYS[1])
local last_ms = 0
for i = 1, #ARGV, 2 do
    local ends_ms = now_ms + ARGV[i + 1]
    redis.call('ZADD', KEYS[1], ends_ms, ARGV[i])
    last_ms = math.max(last_ms, ends_ms)
end
if last_ms > 0 then
    redis.call('PEXPIREAT', KEYS[1], string.format('%d', last_ms))
end
return #ARGV / 2
