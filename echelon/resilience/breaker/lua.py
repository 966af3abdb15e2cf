"""The one script that changes a shared breaker: every change is atomic, by the clock of the Redis server (F1).

Keys: the record (a hash), the places taken (a sorted set: token → end of its time in ms).
Arguments: the operation (`read`, `publish`, `trial`, `settle`) and its own, as read below.
Returns: state, epoch, ms until the first trial or the next free place, openings in a row, reason, isolated, granted,
who isolated it.

An epoch is the time of a change in microseconds and only grows, also when the record was lost in between.
"""

#: A record that nobody touched for so long is forgotten, in milliseconds; what a person isolated never is.
FORGOTTEN_AFTER_MS = 7 * 24 * 3600 * 1000

SCRIPT = """
local clock = redis.call('TIME')
local micros = clock[1] * 1000000 + clock[2]
local now = math.floor(micros / 1000)
local function text(number) return string.format('%.0f', number) end

local known = {}
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do known[flat[i]] = flat[i + 1] end
local state = known.state or 'closed'
local epoch = tonumber(known.epoch or '0')
local trial_at = tonumber(known.trial_at or '0')
local trips = tonumber(known.trips or '0')
local reason = known.reason or ''
local isolated = known.isolated or ''
local isolated_by = known.isolated_by or ''
local successes = tonumber(known.successes or '0')
local slow = tonumber(known.slow or '0')
local granted = 0

local function save()
  redis.call('HSET', KEYS[1], 'state', state, 'epoch', text(epoch), 'trial_at', text(trial_at), 'trips', text(trips),
    'reason', reason, 'isolated', isolated, 'isolated_by', isolated_by,
    'successes', text(successes), 'slow', text(slow))
  if isolated ~= '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], FORGOTTEN) end
  redis.call('PEXPIRE', KEYS[2], FORGOTTEN)
end

local function change(new_state)
  state, epoch = new_state, math.max(epoch + 1, micros)
  successes, slow = 0, 0
  redis.call('DEL', KEYS[2])
end

local function reopen(for_ms, why)
  change('open')
  trial_at, trips, reason = now + for_ms, trips + 1, why
end

local operation = {}

function operation.read() end

function operation.publish(known_epoch, new_state, in_ms, new_trips, why, by_hand, by)
  if known_epoch ~= 'always' and epoch > tonumber(known_epoch) then return end
  change(new_state)
  trial_at, trips, reason = now + tonumber(in_ms), tonumber(new_trips), why
  isolated, isolated_by = by_hand, by or ''
  save()
end

function operation.trial(token, places, for_ms)
  if isolated ~= '' or state == 'closed' then return end
  if state == 'open' then
    if now < trial_at then return end
    change('half-open')
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  if redis.call('ZCARD', KEYS[2]) + successes < tonumber(places) then
    redis.call('ZADD', KEYS[2], now + tonumber(for_ms), token)
    granted = 1
  end
  save()
end

function operation.settle(its_epoch, token, result, places, slow_rate, open_ms, why)
  if state ~= 'half-open' or epoch ~= tonumber(its_epoch) then return end
  redis.call('ZREM', KEYS[2], token)
  if result == 'failure' then reopen(tonumber(open_ms), why) end
  if result == 'success' or result == 'slow' then
    successes = successes + 1
    if result == 'slow' then slow = slow + 1 end
    if successes >= tonumber(places) then
      if slow / successes >= tonumber(slow_rate) then
        reopen(tonumber(open_ms), why)
      else
        change('closed')
      end
    end
  end
  save()
end

operation[ARGV[1]](unpack(ARGV, 2))

local wait = 0
if state == 'open' then wait = math.max(0, trial_at - now) end
if state == 'half-open' then
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if first[2] then wait = math.max(0, tonumber(first[2]) - now) end
end
return {state, text(epoch), text(wait), text(trips), reason, isolated, granted, isolated_by}
""".replace("FORGOTTEN", str(FORGOTTEN_AFTER_MS))
