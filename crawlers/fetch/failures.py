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
from malmoi import limits
from malmoi.limits import InputLimit


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


class Unreadable(Exception):
    """A library fails at an address or its answer, with an exception that nobody foresaw; the text names it."""


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
NET_ERRORS: tuple[type[Exception], ...] = (*PASSING, *FINAL, BadCoding, Troubled, Unreadable)
# The limit behind a word, of what failed and of what was not even queued.
LIMITS: dict[str, tuple[InputLimit, ...]] = {
    "timeout": (limits.REQUEST_SECONDS,),
    "too-big": (limits.ANSWER_BYTES,),
    "header-too-big": (limits.ANSWER_HEAD_BYTES,),
    "decompression-bomb": (limits.ANSWER_UNPACKED_BYTES, limits.ANSWER_RATIO),
    "too-many-redirects": (limits.REDIRECTS,),
    "redirect-too-long": (limits.ADDRESS_BYTES,),
    "too-long": (limits.ADDRESS_BYTES,),
    "too-many-lists": (limits.LISTS,),
    "frontier-full": (limits.FRONTIER_ADDRESSES,),
}


def explain(reason: str) -> str:
    """The word for a failure with the limit behind it.

    >>> explain("header-too-big"), explain("status-404")
    ('header-too-big (limit answer_head_bytes: 256 KiB)', 'status-404')
    """
    named = ", ".join(limit.describe() for limit in LIMITS.get(reason.partition(":")[0], ()))
    return f"{reason} ({named})" if named else reason


def failure_word(error: Exception) -> str:
    """The word for a failure of the net.

    >>> failure_word(Troubled("no rows")), failure_word(HeadTooBig())
    ('empty-answer: no rows', 'header-too-big')
    """
    if isinstance(error, Troubled):
        return f"empty-answer: {error.why}"
    if isinstance(error, Unreadable):
        return f"unreadable: {error}"
    if isinstance(error, BadCoding):
        return error.reason
    return next(word for kind, word in {**PASSING, **FINAL}.items() if isinstance(error, kind))
