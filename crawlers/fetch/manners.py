"""How the crawler introduces itself, and how long it waits when a host is in trouble."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

AGENT = "Malmoi/0.1"
MAX_TRIES = 3  # requests for one address, the first included
MAX_WAIT = 120.0  # seconds before another try, whatever Retry-After says
FIRST_WAIT = 0.5  # seconds before the second try where the source's delay is shorter; doubles
TIMEOUT = 30.0  # seconds for one request, from connecting to the last byte


def user_agent(contact: str | None, suffix: str | None = None) -> str:
    """The user agent of a crawl, with the address at which its operator can be reached.

    >>> user_agent("mailto:corpus@example.kr")
    'Malmoi/0.1 (+mailto:corpus@example.kr)'
    >>> user_agent(None)
    'Malmoi/0.1'
    """
    named = f"{AGENT} (+{contact})" if contact else AGENT
    return f"{named} {suffix}" if suffix else named


def wait_before(attempt: int, delay: float, retry_after: str, now: datetime) -> float:
    """Seconds to wait before try number `attempt` (2, 3 …) of an address.

    `delay` is the source's own; `retry_after` is the header as sent (RFC 9110, section 10.2.3), "" without one.

    >>> now = datetime(2026, 11, 24, tzinfo=UTC)
    >>> wait_before(2, 1.0, "", now), wait_before(3, 1.0, "", now), wait_before(2, 1.0, "3600", now)
    (1.0, 2.0, 120.0)
    """
    backoff = max(delay, FIRST_WAIT) * 2.0 ** (attempt - 2)
    return float(min(max(backoff, _seconds(retry_after, now)), MAX_WAIT))


def _seconds(retry_after: str, now: datetime) -> float:
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds()
