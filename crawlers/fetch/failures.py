"""The words for what goes wrong between us and a host, and which of it may pass."""

from __future__ import annotations

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError, ConnectionClosed

from crawlers.fetch.payload import BadCoding


class Blocked(IgnoreRequest):
    """A rule forbids the request; `reason` names it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PeerRefused(Exception):
    """A connection led to an address that may not be spoken to; nothing was sent."""


class HeadTooBig(Exception):
    """The head of an answer goes on and on."""


class Postponed(Exception):
    """The host wants to be left alone for longer than a run waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} seconds")
        self.seconds = seconds


class Troubled(Exception):
    """An answer that is none, after all tries; `why` is the source's own word for it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


# A second try may help against these; against the others it would only repeat the request.
PASSING: dict[type[Exception], str] = {
    DownloadTimeoutError: "timeout",
    DownloadConnectionRefusedError: "refused",
    CannotResolveHostError: "unknown-host",
    ResponseDataLossError: "cut-off",
    DownloadFailedError: "broken-answer",
    ConnectionClosed: "connection-lost",
    ConnectError: "no-connection",
}
FINAL: dict[type[Exception], str] = {
    DownloadCancelledError: "too-big",
    HeadTooBig: "header-too-big",
    PeerRefused: "guard-peer",
    UnsupportedURLSchemeError: "scheme",
    UnicodeError: "malformed-host",
    Postponed: "retry-after",
}
NET_ERRORS: tuple[type[Exception], ...] = (*PASSING, *FINAL, BadCoding, Troubled)


def why(error: Exception) -> str:
    """The word for a failure of the net.

    >>> why(Troubled("no rows")), why(HeadTooBig())
    ('empty-answer: no rows', 'header-too-big')
    """
    if isinstance(error, Troubled):
        return f"empty-answer: {error.why}"
    if isinstance(error, BadCoding):
        return error.reason
    return next(word for kind, word in {**PASSING, **FINAL}.items() if isinstance(error, kind))
