"""Name the fields of an answer that a source neither reads nor leaves out on purpose.

A source declares the fields of its interface in two lists. A field in neither list is new, or was never looked at:
`malmoi sources probe` lists it, and a collection warns of it once.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lxml import etree

from crawlers.formats import xml_records
from crawlers.formats.unreadable import Unreadable
from malmoi.archive.capture import Capture

Answer: TypeAlias = etree._Element | dict[str, Any] | list[Any]


@dataclass(frozen=True, slots=True)
class Fields:
    """The known fields of an interface: names of XML elements, or keys of JSON objects.

    A known field covers everything inside it, so a container that is left out needs one name.
    """

    used: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    def find_unknown(self, answer: Answer) -> tuple[str, ...]:
        """Return the names of the unknown fields of an answer that hold a value, sorted; empty fields are left out.

        >>> Fields(("title",), ("id",)).find_unknown({"row": [{"id": 1, "title": "a", "note": "", "licence": "BY"}]})
        ('licence',)
        """
        known = {*self.used, *self.ignored}
        found: set[str] = set()
        waiting: list[tuple[str, Any]] = [("", answer)]
        while waiting:  # a list instead of a recursion: an answer may be nested deeply
            name, value = waiting.pop()
            if name in known:
                continue
            inner = list(_list_fields(name, value))
            waiting += inner
            if name and not inner and _holds_value(value):
                found.add(name)
        return tuple(sorted(found))

    def find_in_xml(self, capture: Capture) -> tuple[str, ...]:
        """Return the unknown fields of an answer in XML; () for an unreadable one, which `items` reports."""
        try:
            return self.find_unknown(xml_records.parse_xml(capture.body, capture.charset))
        except Unreadable:
            return ()


def find_named(answer: Answer, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield (path, value) of the fields of an answer with one of these names, at any depth; the value as text.

    A name may be a path (`Item/KoglType`), of which the last part counts.

    >>> list(find_named({"rows": [{"id": 1, "rights": {"KoglType": "1"}}]}, ("Item/KoglType",)))
    [('rows.rights.KoglType', '1')]
    """
    wanted = {re.split(r"[/.]", name)[-1].strip() for name in names}
    waiting: deque[tuple[str, str, Any]] = deque([("", "", answer)])
    while waiting:
        path, name, value = waiting.popleft()
        inner = list(_list_fields(name, value))
        if name in wanted and not (inner and isinstance(value, list)):
            yield path, _describe_value(value, inner)
        waiting += [
            (path if isinstance(value, list) else f"{path}.{key}" if path else key, key, one)
            for key, one in ((_drop_namespace(key), one) for key, one in inner)
        ]


def list_names(answer: Answer) -> tuple[str, ...]:
    """Return the names of the fields of an answer, from outside to inside, each once.

    >>> list_names({"header": {"code": "00"}, "rows": [{"id": 1}, {"id": 2}]})
    ('header', 'rows', 'code', 'id')
    """
    found: dict[str, None] = {}
    waiting: deque[tuple[str, Any]] = deque([("", answer)])
    while waiting:
        name, value = waiting.popleft()
        found.setdefault(name)
        waiting += ((_drop_namespace(inner), one) for inner, one in _list_fields(name, value))
    return tuple(name for name in found if name)


def _describe_value(value: Any, inner: Sequence[tuple[str, Any]]) -> str:
    if inner:
        return f"an object with {', '.join(dict.fromkeys(name for name, _ in inner))}"
    if isinstance(value, etree._Element):
        return (value.text or "").strip()
    return value.strip() if isinstance(value, str) else "" if value in (None, [], {}) else str(value)


def _drop_namespace(name: str) -> str:
    """Return the local name of an XML element; a key of JSON stays as it is."""
    return name.rpartition("}")[2] if name.startswith("{") else name


def _list_fields(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields inside a value; the entries of a list are fields of the same name."""
    if isinstance(value, etree._Element):
        yield from ((inner.tag, inner) for inner in value if isinstance(inner.tag, str))
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((name, inner) for inner in value)


def _holds_value(value: Any) -> bool:
    if isinstance(value, etree._Element):
        return bool((value.text or "").strip())
    return bool(value.strip()) if isinstance(value, str) else value is not None and value != [] and value != {}
