"""Handle the secret key of an API: add it to the outgoing request, redact it everywhere else.

The URL of a request is stored without its key. The key is added where the request leaves
(crawlers/fetch/connections.py). It is redacted from answers, headers, log lines and error texts before
any other code reads them.
"""

from __future__ import annotations

import html
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from crawlers.web.addresses import canonical_url, origin
from malmoi.errors import CallError
from malmoi.source import Api, Source

REMOVED = "MALMOI-KEY-REMOVED"
REMOVED_HEADER = "X-Malmoi-Key-Removed"
# A shorter key may be an ordinary word (the account name that law.go.kr asks for), so it is redacted only
# after the name of its parameter.
MIN_SECRET = 8  # characters
MAX_KEY = 4096  # characters
_BETWEEN = rb"""["'\s=:>\\]{1,8}"""  # what may separate a parameter from its value: OC=x, "OC": "x", <OC>x


@dataclass(frozen=True, slots=True)
class Key:
    """A key added to the query of requests to `origins` as `parameter`; its value is hidden from repr."""

    parameter: str
    value: str = field(repr=False)
    origins: frozenset[str] = frozenset()  # scheme, host, port of the first requests: the key is sent nowhere else

    def add_to_url(self, url: str) -> str:
        """Return the URL with the key, as it is sent.

        >>> Key("serviceKey", "a+b/c==").add_to_url("https://a.kr/list?page=1")
        'https://a.kr/list?page=1&serviceKey=a%2Bb%2Fc%3D%3D'
        """
        # Portals issue keys both percent-encoded and plain; both become the same query.
        joined = f"{quote(self.parameter, safe='')}={quote(unquote(self.value), safe='')}"
        parts = urlsplit(self.remove_from_url(url))
        query = f"{parts.query}&{joined}" if parts.query else joined
        return urlunsplit(parts._replace(query=query))

    def remove_from_url(self, url: str) -> str:
        """Return the URL without the parameter of the key; an answer may contain URLs that carry it.

        >>> Key("KEY", "secret-value").remove_from_url("https://a.kr/list?KEY=secret-value&page=2")
        'https://a.kr/list?page=2'
        """
        parts = urlsplit(url)
        kept = [one for one in parts.query.split("&") if unquote(one.partition("=")[0]) != self.parameter]
        return urlunsplit(parts._replace(query="&".join(kept)))

    def redact_bytes(self, raw: bytes) -> bytes:
        """Replace every spelling of the key in `raw` with a fixed word.

        >>> Key("KEY", "secret/value").redact_bytes(b'{"next": "?KEY=secret%2Fvalue", "you": "secret/value"}')
        b'{"next": "?KEY=MALMOI-KEY-REMOVED", "you": "MALMOI-KEY-REMOVED"}'
        """
        for spelling in self._spellings():
            if len(self.value) >= MIN_SECRET:
                raw = raw.replace(spelling, REMOVED.encode())
                raw = raw.replace(spelling.decode().encode("utf-16-le"), REMOVED.encode("utf-16-le"))
                raw = raw.replace(spelling.decode().encode("utf-16-be"), REMOVED.encode("utf-16-be"))
            else:
                name = re.escape(self.parameter.encode())
                pattern = rb"(?i)(\b%b%b)%b(?![\w-])" % (name, _BETWEEN, re.escape(spelling))
                raw = re.sub(pattern, rb"\g<1>" + REMOVED.encode(), raw)
        return raw

    def redact_text(self, text: str) -> str:
        """Redact the key from a line of a log or of an error."""
        return self.redact_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def _spellings(self) -> list[bytes]:
        plain = unquote(self.value)
        escaped = quote(plain, safe="")
        lower = re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), escaped)
        twice = quote(escaped, safe="")
        within = [json.dumps(plain)[1:-1], json.dumps(plain)[1:-1].replace("/", "\\/"), html.escape(plain)]
        found = {self.value, plain, escaped, lower, twice, quote(plain), quote(plain, safe="=+"), *within}
        # Longest first, so that replacing a short spelling does not leave the rest of a longer one.
        return sorted((one.encode() for one in found), key=lambda one: (-len(one), one))


def key_of(source: Source) -> Key | None:
    """Read the key of a source from its environment variable; None if the source needs no key.

    Raises:
        CallError: the variable is not set, or its value cannot be a key.
    """
    access = source.access
    if not isinstance(access, Api) or not access.key:
        return None
    value = os.environ.get(access.key, "").strip()
    if not value:
        about = f" ({source.note})" if source.note else ""
        raise CallError(
            f"{source.name}: the environment variable {access.key} is not set; it holds the key of {source.title}. "
            f"Ask {source.publisher} for one{about}, then set {access.key} and run again"
        )
    if not value.isascii() or not value.isprintable() or re.search(r"\s", value) or len(value) > MAX_KEY:
        raise CallError(f"{source.name}: the value of {access.key} cannot be a key; set it to the key alone")
    return Key(access.parameter, value, frozenset(origin(canonical_url(url)) for url in access.start))


class _Hiding(logging.Formatter):
    def __init__(self, inner: logging.Formatter | None, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._inner, self._hide = inner or logging.Formatter(), hide

    def format(self, record: logging.LogRecord) -> str:
        return self._hide(self._inner.format(record))


def hide_in_logs(key: Key) -> None:
    """Redact the key from every log line that this process writes and from its final traceback."""
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, _Hiding):
            handler.setFormatter(_Hiding(handler.formatter, key.redact_text))

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        print(key.redact_text("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)

    sys.excepthook = show
