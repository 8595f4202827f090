"""How the crawler identifies itself and how long it waits: user agent, backoff, Retry-After, and a throttle by host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from malmoi import limits
from malmoi.boundary import input_errors

# Files where a site may state what it allows machines to do (TDM Reservation Protocol; ai.txt).
OPT_OUT_FILES = ("/.well-known/tdmrep.json", "/ai.txt")
AGENT = "Malmoi/0.1"
MAX_TRIES = 3  # requests for one URL, the first included
MAX_WAIT = 120.0  # seconds; the exponential backoff does not grow beyond this
MAX_REST = 600.0  # seconds of Retry-After that a run waits; a host that asks for more is left to another run
FIRST_WAIT = 0.5  # seconds before the second try if the source's delay is shorter; doubles
EARLY = 0.001  # seconds; timers may fire this much too soon
TIMEOUT = float(limits.REQUEST_SECONDS.value)  # for one request, from connecting to the last byte


def utc_now() -> datetime:
    """Return the clock of the crawl; tests replace it."""
    return datetime.now(UTC)


def user_agent(contact: str | None, suffix: str | None = None) -> str:
    """Return the user agent of a crawl, with the address at which its operator can be reached.

    >>> user_agent("mailto:corpus@example.kr")
    'Malmoi/0.1 (+mailto:corpus@example.kr)'
    >>> user_agent(None)
    'Malmoi/0.1'
    """
    named = f"{AGENT} (+{contact})" if contact else AGENT
    return f"{named} {suffix}" if suffix else named


class Postponed(Exception):
    """The host asks for a longer pause (Retry-After) than a run waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} seconds")
        self.seconds = seconds


def pause_seconds(attempt: int, delay: float, retry_after: str) -> float:
    """Return the pause in seconds before try number `attempt` of a URL, which `backoff_seconds` gives.

    Raises:
        Postponed: the pause is longer than MAX_REST.
    """
    pause = backoff_seconds(attempt, delay, retry_after, utc_now())
    if pause > MAX_REST:
        raise Postponed(pause)
    return pause


def backoff_seconds(attempt: int, delay: float, retry_after: str, now: datetime) -> float:
    """Return the pause in seconds before try number `attempt` (2, 3 …) of a URL.

    `delay` is the source's own; `retry_after` is the header as sent (RFC 9110, section 10.2.3), "" without
    one. Retry-After is not shortened.

    >>> now = datetime(2026, 11, 24, tzinfo=UTC)
    >>> backoff_seconds(2, 1.0, "", now), backoff_seconds(3, 1.0, "", now), backoff_seconds(2, 1.0, "3600", now)
    (1.0, 2.0, 3600.0)
    >>> backoff_seconds(2, 1.0, "Tue, 24 Nov 2026 00:00:09 GMT", now), backoff_seconds(2, 1.0, "soon", now)
    (9.0, 1.0)
    """
    backoff = min(max(delay, FIRST_WAIT) * 2.0 ** (attempt - 2), MAX_WAIT)
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return max(backoff, float(text[:9]))
    try:
        with input_errors(ValueError):
            when = parsedate_to_datetime(text)
            return max(backoff, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())
    except ValueError:  # not a date
        return backoff


@dataclass(slots=True)
class _Host:
    gate: asyncio.Semaphore
    delay: float  # seconds between two requests
    next: float = 0.0  # monotonic seconds: no request leaves before
    rest: float = 0.0  # monotonic seconds: end of the pause that the host asked for


@dataclass(slots=True)
class Throttle:
    """The throttle of all hosts of a crawl: delay, pauses (Retry-After) and requests in flight.

    A host is identified by its IP address if it resolves, so that two names of one machine share one throttle.
    """

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
        """Throttle `host` together with the other hosts at the IP address `number`; keep the longer delay."""
        before = self._hosts.pop(host, None) if number != host else None
        self._numbers[host] = number
        if before is not None:
            shared = self._host_state(host)
            shared.delay = max(shared.delay, before.delay)
            shared.next, shared.rest = max(shared.next, before.next), max(shared.rest, before.rest)
