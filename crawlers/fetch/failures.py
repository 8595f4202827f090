"""Names of the failures of a request, and which of them are transient."""

from __future__ import annotations

import re
from collections import Counter

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

from crawlers.fetch.payload import BadCoding, is_lasting
from crawlers.fetch.politeness import Postponed
from malmoi import limits
from malmoi.limits import InputLimit

MAX_PAGES = "max-pages"  # addresses left in the queue at max_pages of the access point
TROUBLE_FAILS = "trouble() fails"  # begins the reason of an answer that the source could not judge


class Blocked(IgnoreRequest):
    """A rule forbids the request; `reason` names it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PeerRefused(Exception):
    """A connection led to an address that is not allowed; nothing was sent."""


class TlsFailed(Exception):
    """The connection could not be secured; the text is the reason of the library, such as an unknown certificate."""


class HeadTooBig(Exception):
    """The head of an answer exceeds its limit."""


class Troubled(Exception):
    """The source says that a response is not a valid answer, after all retries; `why` is the source's reason."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TokenExpired(Exception):
    """A repository no longer knows a resumption token (badResumptionToken); its answer is not archived."""


class Unreadable(Exception):
    """A library fails on a URL or its answer with an unexpected exception; the text names it."""


# A retry may help against these; against the others it would only repeat the request.
PASSING: dict[type[Exception], str] = {
    DownloadTimeoutError: "timeout",
    DownloadConnectionRefusedError: "refused",
    CannotResolveHostError: "unknown-host",
    ResponseDataLossError: "cut-off",
    TlsFailed: "tls",
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
    TokenExpired: "resumption-token-expired",
}
NET_ERRORS: tuple[type[Exception], ...] = (*PASSING, *FINAL, BadCoding, Troubled, Unreadable)
# The limit behind a failure word, for failed URLs and for URLs that were not queued.
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
    """Return the word of a failure with the limit behind it.

    >>> explain("header-too-big"), explain("status-404")
    ('header-too-big (limit answer_head_bytes: 256 KiB)', 'status-404')
    """
    named = ", ".join(limit.describe() for limit in LIMITS.get(reason.partition(":")[0], ()))
    return f"{reason} ({named})" if named else reason


def failure_word(error: Exception) -> str:
    """Return the word of a network failure.

    >>> failure_word(Troubled("no rows")), failure_word(HeadTooBig())
    ('empty-answer: no rows', 'header-too-big')
    """
    if isinstance(error, Troubled):
        return f"empty-answer: {error.why}"
    if isinstance(error, Unreadable | TlsFailed):
        return f"{'tls' if isinstance(error, TlsFailed) else 'unreadable'}: {error}"
    if isinstance(error, BadCoding):
        return error.reason
    return next(word for kind, word in {**PASSING, **FINAL}.items() if isinstance(error, kind))


def may_pass(reason: str) -> bool:
    """Whether a failure may be over soon, so that the same request can succeed later.

    >>> [may_pass(reason) for reason in ("status-503", "timeout (limit request_seconds: 30 seconds)", "status-404")]
    [True, True, False]
    """
    word = re.split("[: ]", reason, maxsplit=1)[0]
    status = word.removeprefix("status-")
    return word in (*PASSING.values(), "retry-after") or (status.isdecimal() and not is_lasting(int(status)))


def advise_on_missed(reasons: Counter[str]) -> str:
    """Return the step after a crawl in which most addresses gave no page, by the reason that cost most of them.

    >>> advise_on_missed(Counter({"robots-disallow": 60}))
    'robots.txt forbids them: ask the publisher, or narrow access.scope in the source file.'
    """
    most = max(reasons, key=lambda reason: reasons[reason])
    if most == "robots-disallow":
        return "robots.txt forbids them: ask the publisher, or narrow access.scope in the source file."
    if may_pass(most):
        return "The server failed or was not reached: collect again later; if it fails again, ask the publisher."
    return "Correct the addresses or access.scope in the source file, and collect again."
