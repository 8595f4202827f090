"""The key of an interface: in the request that is sent, and nowhere else.

The address of a request is known without its key. The key joins it where the request leaves
(crawlers/fetch/connections.py), and what comes back with the key in it loses it before anybody else
looks: answers, headers, log lines, the texts of errors.
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
# A shorter key may be an ordinary word (the account name that law.go.kr asks for), so it is taken out only
# where the name of its parameter stands before it.
MIN_SECRET = 8  # characters
MAX_KEY = 4096  # characters
_BETWEEN = rb"""["'\s=:>\\]{1,8}"""  # what may stand between a parameter and its value: OC=x, "OC": "x", <OC>x


@dataclass(frozen=True, slots=True)
class Key:
    """A key that joins the query of requests to `origins` as `parameter`; its value shows in no repr."""

    parameter: str
    value: str = field(repr=False)
    origins: frozenset[str] = frozenset()  # scheme, host, port: where the first requests go, nowhere else

    def add_to_url(self, url: str) -> str:
        """The address as it is sent.

        >>> Key("serviceKey", "a+b/c==").add_to_url("https://a.kr/list?page=1")
        'https://a.kr/list?page=1&serviceKey=a%2Bb%2Fc%3D%3D'
        """
        # Portals hand keys out escaped and plain; both become the same query.
        joined = f"{quote(self.parameter, safe='')}={quote(unquote(self.value), safe='')}"
        parts = urlsplit(self.remove_from_url(url))
        query = f"{parts.query}&{joined}" if parts.query else joined
        return urlunsplit(parts._replace(query=query))

    def remove_from_url(self, url: str) -> str:
        """The address without the parameter of the key: an answer may name addresses that carry it.

        >>> Key("KEY", "secret-value").remove_from_url("https://a.kr/list?KEY=secret-value&page=2")
        'https://a.kr/list?page=2'
        """
        parts = urlsplit(url)
        kept = [one for one in parts.query.split("&") if unquote(one.partition("=")[0]) != self.parameter]
        return urlunsplit(parts._replace(query="&".join(kept)))

    def redact_bytes(self, raw: bytes) -> bytes:
        """`raw` with every spelling of the key replaced by a fixed word.

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
        """A line of a log or of an error without the key."""
        return self.redact_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def _spellings(self) -> list[bytes]:
        plain = unquote(self.value)
        escaped = quote(plain, safe="")
        lower = re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), escaped)
        twice = quote(escaped, safe="")
        within = [json.dumps(plain)[1:-1], json.dumps(plain)[1:-1].replace("/", "\\/"), html.escape(plain)]
        found = {self.value, plain, escaped, lower, twice, quote(plain), quote(plain, safe="=+"), *within}
        # The longest first: what is replaced must not leave the rest of a longer spelling behind.
        return sorted((one.encode() for one in found), key=lambda one: (-len(one), one))


def key_of(source: Source) -> Key | None:
    """The key of a source from its environment variable; None where it needs none.

    Raises:
        CallError: the variable is not set, or what it holds cannot be a key.
    """
    access = source.access
    if not isinstance(access, Api) or not access.key:
        return None
    if not access.parameter:
        raise CallError(f"{source.name}: names the key {access.key} and no parameter that carries it; add parameter=…")
    value = os.environ.get(access.key, "").strip()
    if not value:
        about = f" ({source.note})" if source.note else ""
        raise CallError(
            f"{source.name}: the environment variable {access.key} is not set; it holds the key of {source.title}. "
            f"Ask {source.publisher} for one{about}, then set {access.key} and run again"
        )
    if not value.isascii() or not value.isprintable() or re.search(r"\s", value) or len(value) > MAX_KEY:
        raise CallError(f"{source.name}: what {access.key} holds cannot be a key; set it to the key and nothing else")
    return Key(access.parameter, value, frozenset(origin(canonical_url(url)) for url in access.start))


class _Hiding(logging.Formatter):
    def __init__(self, inner: logging.Formatter | None, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._inner, self._hide = inner or logging.Formatter(), hide

    def format(self, record: logging.LogRecord) -> str:
        return self._hide(self._inner.format(record))


def hide_in_logs(key: Key) -> None:
    """Keep the key out of every line that the handlers of this process write, and out of a traceback at its end."""
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, _Hiding):
            handler.setFormatter(_Hiding(handler.formatter, key.redact_text))

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        print(key.redact_text("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)

    sys.excepthook = show
