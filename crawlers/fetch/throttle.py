"""Throttle requests per host: delay, pauses (Retry-After) and requests in flight.

A host is identified by its IP address if it resolves, so that two names of one machine share one throttle.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

EARLY = 0.001  # seconds; timers may fire this much too soon


@dataclass(slots=True)
class _Host:
    gate: asyncio.Semaphore
    delay: float  # seconds between two requests
    next: float = 0.0  # monotonic seconds: no request leaves before
    rest: float = 0.0  # monotonic seconds: end of the pause that the host asked for


@dataclass(slots=True)
class Throttle:
    """The throttle of all hosts of a crawl."""

    delay: float  # seconds between two requests to one host
    concurrency: int  # requests in flight to one host
    number: Callable[[str], Awaitable[str]] | None = None  # host → its IP address
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _hosts: dict[str, _Host] = field(default_factory=dict)
    _numbers: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until a request to `host` may leave; the block is its time in flight."""
        if host not in self._numbers and self.number is not None:
            self._adopt(host, await self.number(host))
        known = self._host_state(host)
        async with known.gate:
            while (wait := max(known.next, known.rest) - self.clock()) > 0:
                await self.sleep(wait + EARLY)
            known.next = self.clock() + known.delay
            yield

    def note_sent(self, host: str) -> None:
        """Count the delay from now: connecting took time, and a request to `host` is written only now."""
        known = self._host_state(host)
        known.next = max(known.next, self.clock() + known.delay)

    def slow_down(self, host: str, delay: float) -> None:
        """Wait at least `delay` seconds between requests to the host; the longest delay set wins."""
        known = self._host_state(host)
        if delay > known.delay:
            known.next += delay - known.delay if known.next else 0.0
            known.delay = delay

    def rest(self, host: str, seconds: float) -> None:
        """Send nothing to the host for this many seconds, whatever the URL."""
        known = self._host_state(host)
        known.rest = max(known.rest, self.clock() + seconds)

    def rest_seconds(self, host: str) -> float:
        """Return the seconds left of a pause that the host asked for; 0 without one."""
        return max(0.0, self._host_state(host).rest - self.clock())

    def delay_of(self, host: str) -> float:
        """Return the seconds between two requests to the host."""
        return self._host_state(host).delay

    def _host_state(self, host: str) -> _Host:
        key = self._numbers.get(host, host)
        if key not in self._hosts:
            self._hosts[key] = _Host(asyncio.Semaphore(self.concurrency), self.delay)
        return self._hosts[key]

    def _adopt(self, host: str, number: str) -> None:
        """Let `host` share the throttle of `number` from now on, and merge the delay it has already used up."""
        before = self._hosts.pop(host, None) if number != host else None
        self._numbers[host] = number
        if before is not None:
            shared = self._host_state(host)
            shared.delay = max(shared.delay, before.delay)
            shared.next, shared.rest = max(shared.next, before.next), max(shared.rest, before.rest)
