"""Name the fields of an answer that a source neither reads nor leaves out on purpose.

A source declares the fields of its interface in two lists. A field in neither list is new, or was never looked at:
`malmoi sources probe` lists it, and a collection warns of it once.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator
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
            if isinstance(value, etree._Element):
                holds = bool((value.text or "").strip())
            else:
                holds = bool(value.strip()) if isinstance(value, str) else value not in (None, [], {})
            if name and not inner and holds:
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
    for path, name, value, inner in _walk(answer):
        if name not in wanted or (inner and isinstance(value, list)):
            continue
        if inner:
            words = f"an object with {', '.join(dict.fromkeys(key for key, _ in inner))}"
        elif isinstance(value, etree._Element):
            words = (value.text or "").strip()
        else:
            words = value.strip() if isinstance(value, str) else "" if value in (None, [], {}) else str(value)
        yield path, words


def list_names(answer: Answer) -> tuple[str, ...]:
    """Return the names of the fields of an answer, from outside to inside, each once.

    >>> list_names({"header": {"code": "00"}, "rows": [{"id": 1}, {"id": 2}]})
    ('header', 'rows', 'code', 'id')
    """
    return tuple(dict.fromkeys(name for _, name, _, _ in _walk(answer) if name))


def _walk(answer: Answer) -> Iterator[tuple[str, str, Any, list[tuple[str, Any]]]]:
    """Yield (path, local name, value, fields inside) of an answer and all of its fields, from outside to inside."""
    waiting: deque[tuple[str, str, Any]] = deque([("", "", answer)])
    while waiting:
        path, name, value = waiting.popleft()
        inner = list(_list_fields(name, value))
        yield path, name, value, inner
        for tag, field in inner:
            key = tag.rpartition("}")[2] if tag.startswith("{") else tag
            waiting.append((path if isinstance(value, list) else f"{path}.{key}" if path else key, key, field))


def _list_fields(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields inside a value; the entries of a list are fields of the same name."""
    if isinstance(value, etree._Element):
        yield from ((inner.tag, inner) for inner in value if isinstance(inner.tag, str))
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((name, inner) for inner in value)
