"""User agent, retry backoff and Retry-After: how the crawler identifies itself and how long it waits."""

from __future__ import annotations

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


def backoff_seconds(attempt: int, delay: float, retry_after: str, now: datetime) -> float:
    """Return the pause in seconds before try number `attempt` (2, 3 …) of a URL.

    `delay` is the source's own; `retry_after` is the header as sent (RFC 9110, section 10.2.3), "" without
    one. Retry-After is not shortened: the caller decides whether to wait that long (MAX_REST).

    >>> now = datetime(2026, 11, 24, tzinfo=UTC)
    >>> backoff_seconds(2, 1.0, "", now), backoff_seconds(3, 1.0, "", now), backoff_seconds(2, 1.0, "3600", now)
    (1.0, 2.0, 3600.0)
    >>> backoff_seconds(2, 1.0, "Tue, 24 Nov 2026 00:00:09 GMT", now), backoff_seconds(2, 1.0, "soon", now)
    (9.0, 1.0)
    """
    backoff = min(max(delay, FIRST_WAIT) * 2.0 ** (attempt - 2), MAX_WAIT)
    return float(max(backoff, _parse_retry_after(retry_after, now)))


def _parse_retry_after(retry_after: str, now: datetime) -> float:
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        with input_errors(ValueError):
            when = parsedate_to_datetime(text)
            return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds()
    except ValueError:  # not a date
        return 0.0
