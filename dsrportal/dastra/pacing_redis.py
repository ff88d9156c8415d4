"""The rate limit of every process of several machines, in Redis. The only room that imports `redis`.

Made by `mirror.connections` where the operator set REDIS_URL. Each grant is one script, so nobody comes in between, and the server's
own clock is read in it. Needs a Redis that evicts nothing (`maxmemory-policy noeviction`): a log that is thrown away limits nobody.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from . import breaker
from .breaker import Circuit
from .errors import PacingUnavailable
from .pacing import (
    CLOCK_STEP_SECONDS,
    LONGEST_PAUSE_SECONDS,
    SHORTEST_WAIT_SECONDS,
    Shared,
    StoredPacer,
    Told,
    boot_id,
    machine_clock,
)

_TIMEOUT_SECONDS = 2.0
_MOST_EXCHANGES = 50

# KEYS: the log (a sorted set), the shared values (a hash). ARGV[1]: one object, see `_ask`. Answers {wait, paused, now, used, lately,
# paused_until, circuit} as text, since Redis would cut the fractions of numbers.
#
# A server's clock may be set while it runs: noticed by comparing with the clock of the machine that asks, and then every call counts as
# called now; so does a call that seems to come from the future. That costs a window and passes none.
# A server that has just started may have lost its log: it grants nothing until a window has gone by.
_SCRIPT = """
local log, shared, asked = KEYS[1], KEYS[2], cjson.decode(ARGV[1])
local now = asked.now
if now < 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local function number(name)
  return tonumber(redis.call('HGET', shared, name) or '0')
end
local function text(value)
  return string.format('%.6f', value)
end
local longest = 0
for _, limit in ipairs(asked.limits) do
  longest = math.max(longest, limit.seconds)
end
local function call_now(from)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', log, from, '+inf')) do
    redis.call('ZADD', log, text(now), member)
  end
end
if asked.machine ~= '' then
  local offset = now - asked.machine_now
  local moved = offset - tonumber(redis.call('HGET', shared, 'offset:' .. asked.machine) or text(offset))
  if math.abs(moved) > asked.step then
    call_now('-inf')
    redis.call('HSET', shared, 'paused_until', text(number('paused_until') + moved))
  end
  redis.call('HSET', shared, 'offset:' .. asked.machine, text(offset))
end
call_now('(' .. text(now))
local paused_until = number('paused_until')
if paused_until - now > asked.longest_pause then
  paused_until = now + asked.longest_pause
  redis.call('HSET', shared, 'paused_until', text(paused_until))
end
local function used(seconds)
  return redis.call('ZCOUNT', log, '(' .. text(now - seconds), '+inf')
end
local wait, paused = 0, 0
if asked.act == 'take' then
  local seen = redis.call('HGET', shared, 'begun')
  if not seen then
    local up = tonumber(string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)') or '0')
    if asked.now < 0 and up < asked.limits[1].seconds then
      wait = asked.limits[1].seconds - up
    else
      redis.call('HSET', shared, 'begun', '1')
    end
  end
  if wait == 0 and paused_until > now then
    wait, paused = paused_until - now, 1
  elseif wait == 0 then
    redis.call('ZREMRANGEBYSCORE', log, '-inf', text(now - longest))
    local people = number('person_at') > now - asked.limits[1].seconds
    for _, limit in ipairs(asked.limits) do
      local room = people and limit.room_beside_people or limit.room
      local count = used(limit.seconds)
      if count >= room then
        local leaving = redis.call('ZRANGEBYSCORE', log, '(' .. text(now - limit.seconds), '+inf',
          'WITHSCORES', 'LIMIT', count - room, 1)
        wait = math.max(wait, tonumber(leaving[2]) + limit.seconds - now, asked.shortest_wait)
      end
    end
    if wait == 0 then
      redis.call('ZADD', log, text(now), redis.call('HINCRBY', shared, 'number', 1))
    end
    if asked.interactive then redis.call('HSET', shared, 'person_at', text(now)) end
  end
elseif asked.act == 'pause' then
  paused_until = math.max(paused_until, now + asked.seconds)
  redis.call('HSET', shared, 'paused_until', text(paused_until))
elseif asked.act == 'swap' then
  if (redis.call('HGET', shared, 'circuit') or '') == asked.before then
    redis.call('HSET', shared, 'circuit', asked.after)
  else
    paused = 1
  end
end
return {text(wait), paused, text(now), used(asked.limits[1].seconds), used(asked.retry_seconds), text(paused_until),
  redis.call('HGET', shared, 'circuit') or ''}
"""


class RedisPacer(StoredPacer):
    """A Pacer for all machines that share a Redis. Raises PacingUnavailable from every method when it cannot be used."""

    def __init__(self, *, url: str, machine: Callable[[], tuple[str, float]] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._url = url
        self._machine = machine or (lambda: (boot_id(), machine_clock()))

    def _take(self, *, interactive: bool) -> tuple[float, bool]:
        wait, paused, *_ = self._ask("take", interactive=interactive)
        return float(wait), bool(paused)

    def _pause(self, seconds: float) -> None:
        self._ask("pause", seconds=seconds)

    def _exchange(self, change: Callable[[Circuit, Shared], tuple[Circuit, Told]]) -> Told:
        for _ in range(_MOST_EXCHANGES):
            _, _, now, used, lately, paused_until, text = self._ask("look")
            shared = Shared(now=float(now), used=int(used), lately=int(lately), paused_until=float(paused_until))
            before = breaker.from_text(text)
            after, told = change(before, shared)
            if after == before:
                return told
            _, lost, *_ = self._ask("swap", before=text, after=breaker.to_text(after))
            if not lost:
                return told
        raise PacingUnavailable

    def _ask(self, act: str, **more: object) -> list[Any]:
        machine, machine_now = self._machine()
        asked = {
            "act": act,
            "now": -1 if self._clock is None else self._clock(),
            "machine": machine,
            "machine_now": machine_now,
            "step": CLOCK_STEP_SECONDS,
            "longest_pause": LONGEST_PAUSE_SECONDS,
            "shortest_wait": SHORTEST_WAIT_SECONDS,
            "retry_seconds": breaker.RETRY_WINDOW_SECONDS,
            "limits": [
                {
                    "seconds": limit.seconds,
                    "room": self._room(limit, interactive=bool(more.get("interactive")), people=False),
                    "room_beside_people": self._room(limit, interactive=bool(more.get("interactive")), people=True),
                }
                for limit in self._limits
            ],
            **more,
        }
        keys = [f"dsr-portal:{{{self._key_id}}}:{name}" for name in ("calls", "shared")]
        with _errors():
            answer: list[Any] = _script(self._url)(keys=keys, args=[json.dumps(asked)])
        return answer


@functools.lru_cache
def _script(url: str) -> Any:
    """The script on a connection pool of this process; redis-py's pools notice a fork by themselves."""
    client = redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
    return client.register_script(_SCRIPT)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise PacingUnavailable from error
