"""What Redis does with challenges and codes, each script as one step.

A phone's counters are kept apart by who can fill them, in lanes: one for anybody, others for those only who
have proven the number before. Whoever fills the first shuts out nobody of the others. A script is given the
keys of two, and takes the second where the browser's mark is among those that are known for this phone.
"""

from tochka_core.scripts import Script

CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function stamp(ms) return string.format('%.0f', ms) end
local function count(key, window)
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, window) end
end
local function blocked(key, cap)
  if tonumber(redis.call('GET', key) or '0') >= tonumber(cap) then return redis.call('PTTL', key) end
  return 0
end
"""

KNOWN = """
local function lane(first, second, mark, seconds)
  local since = redis.call('ZSCORE', KEYS[2], mark)
  return since and now - since < seconds * 1000 and second or first
end
"""

OPEN = Script(
    """
redis.call('HSET', KEYS[1], 'phone', ARGV[2], 'channel', ARGV[3], 'delivery', ARGV[4],
  'browser', ARGV[5], 'bound', ARGV[6], 'purpose', ARGV[7], 'subject', ARGV[8])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)

# A challenge that has just gone stays gone: what is left of it could not be answered.
HAND_OVER = Script(
    """
if redis.call('PEXPIRE', KEYS[1], ARGV[2]) == 1 then redis.call('HSET', KEYS[1], 'chat', ARGV[1]) end
"""
)

# KEYS: code, marks of browsers, sends in an hour and a day, the same where the mark is known; and the key of
# the press, if it has one
# ARGV: mac (empty: nothing is sent, only a link given), is it the first, must it wait, tries, code ms,
# cooldown ms, kept ms, hour ms, day ms, caps per hour and day, the browser's mark, how long one is known; and
# what the press stands for, for how long
# The same call again, since its first answer was lost, has the same mac or press, and is answered alike. (A
# link that is asked for again has neither, and may have to wait.)
ISSUE = Script(
    CLOCK
    + KNOWN
    + """
local pressed = KEYS[7] and redis.call('GET', KEYS[7])
if pressed and pressed ~= ARGV[14] then return {'pressed', pressed} end
local known = redis.call('HMGET', KEYS[1], 'mac', 'expires', 'resend')
if pressed or (known[1] and known[1] == ARGV[1]) then return {'ok', known[2], known[3]} end
if ARGV[2] == '' then
  local seen = redis.call('HMGET', KEYS[1], 'state', 'tries', 'resend')
  if not seen[1] then return {'unknown', 0} end
  if seen[1] == 'used' then return {'used', 0} end
  local wait = math.max(tonumber(seen[3]) - now, 0)
  if tonumber(seen[2]) <= 0 then return {'exhausted', math.max(wait, 1)} end
  if wait > 0 and ARGV[3] ~= '' then return {'early', wait} end
end
if ARGV[1] ~= '' then
  local at = lane(3, 5, ARGV[12], ARGV[13])
  local wait = math.max(blocked(KEYS[at], ARGV[10]), blocked(KEYS[at + 1], ARGV[11]))
  if wait > 0 then return {'early', wait} end
  count(KEYS[at], ARGV[8])
  count(KEYS[at + 1], ARGV[9])
  redis.call('HSET', KEYS[1], 'mac', ARGV[1])
end
redis.call('HSET', KEYS[1], 'state', 'open',
  'expires', stamp(now + ARGV[5]), 'resend', stamp(now + ARGV[6]))
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'tries', ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
if KEYS[7] then redis.call('SET', KEYS[7], ARGV[14], 'EX', ARGV[15]) end
return {'ok', stamp(now + ARGV[5]), stamp(now + ARGV[6])}
"""
)

# KEYS: code, marks of browsers, failures and sends in an hour and a day, the same where the mark is known
# ARGV: mac, hour ms, day ms, caps per hour and day, the browser's mark, how long one is known, whether it is
# shown, how many are kept
CONFIRM = Script(
    CLOCK
    + KNOWN
    + """
local function refuse(wait) return {'exhausted', wait, redis.call('HSETNX', KEYS[1], 'refused', 1)} end
local seen = redis.call('HMGET', KEYS[1], 'state', 'tries', 'expires', 'mac', 'resend')
if not seen[1] then return {'unknown', 0} end
if seen[1] == 'used' then return {'used', 0} end
if tonumber(seen[2]) <= 0 then return refuse(math.max(tonumber(seen[5]) - now, 1)) end
if tonumber(seen[3]) <= now then return {'expired', 0} end
if not seen[4] then return {'wrong', seen[2]} end
local at = lane(3, 7, ARGV[6], ARGV[7])
local wait = math.max(blocked(KEYS[at], ARGV[4]), blocked(KEYS[at + 1], ARGV[5]))
if wait > 0 then return refuse(wait) end
local left = redis.call('HINCRBY', KEYS[1], 'tries', -1)
count(KEYS[at], ARGV[2])
count(KEYS[at + 1], ARGV[3])
if seen[4] ~= ARGV[1] then return {'wrong', left} end
redis.call('HDEL', KEYS[1], 'mac')
redis.call('HSET', KEYS[1], 'state', 'used')
redis.call('DEL', KEYS[at], KEYS[at + 1], KEYS[at + 2], KEYS[at + 3])
if ARGV[8] ~= '' then
  redis.call('ZADD', KEYS[2], now, ARGV[6])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[9])
  redis.call('EXPIRE', KEYS[2], ARGV[7])
end
return {'ok', 0}
"""
)
