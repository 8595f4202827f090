"""Read JSON, JSON lines, and objects within a script as a tree of places in its text, so that a part can be cut out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\"(?:[^\"\\]++|\\.)*+(?:\"|\Z)|'(?:[^'\\\n]++|\\.)*+'|[{}\[\],]", re.DOTALL)

_LINE_END = re.compile(r"[ \t\r]*+\n?")


@dataclass(slots=True, eq=False)
class Node:
    """An object, an array, or the root around all values; `marks` are its opening, its commas, and its end."""

    kind: str  # "{", "[", or "" for the root
    start: int
    parent: Node | None
    place: int  # which item of the parent it is, or is in
    end: int = -1
    marks: list[int] = field(default_factory=list)
    strings: list[String] = field(default_factory=list)  # its own
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class String:
    """A string literal with its quotes; `key` is that of its member, "" in an array."""

    start: int
    end: int
    node: Node
    place: int
    key: str
    is_key: bool

    def read(self, text: str) -> str:
        """Return the value of the literal; as written if it is not JSON."""
        return _read(text[self.start : self.end])


def parse_json(text: str, start: int = 0, end: int | None = None) -> tuple[Node, list[String]]:
    """Return the root and all strings in order; brackets that do not match are closed by those around them."""
    end = len(text) if end is None else end
    root = Node("", start, None, 0, end, [start])
    here, strings, key = root, list[String](), ""
    for token in _TOKEN.finditer(text, start, end):
        mark, at = token[0][0], token.start()
        if mark in "{[":
            place = len(here.marks) - 1 if here.parent is not None else len(here.children)
            child = Node(mark, at, here, place, marks=[at + 1])
            here.children.append(child)
            here, key = child, ""
        elif mark in "}]":
            if here.parent is not None:
                here.marks.append(at)
                here.end = token.end()
                here = here.parent
            key = ""
        elif mark == ",":
            here.marks.append(at)
            key = ""
        else:
            is_key = here.kind == "{" and text[token.end() : token.end() + 20].lstrip().startswith(":")
            key = _read(token[0]) if is_key else key
            one = String(at, token.end(), here, len(here.marks) - 1, key, is_key)
            here.strings.append(one)
            strings.append(one)
    while here.parent is not None:  # cut off
        here.marks.append(end)
        here.end = end
        here = here.parent
    root.marks.append(end)
    return root, strings


def _read(written: str) -> str:
    try:
        value = json.loads(written, strict=False)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, str) else written[1:-1]


def list_cuts(text: str, gone: Sequence[tuple[Node, int]]) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, what takes its place) for items, each a node and a place, so that JSON stays JSON.

    Items of an array go, and lines of JSON lines; the value of a member becomes null, since readers expect the key.

    >>> root, _ = parse_json('[{"a": 1}, {"b": 2}]')
    >>> list(list_cuts('[{"a": 1}, {"b": 2}]', [(root.children[0], 0)]))
    [(1, 10, '')]
    """
    places: dict[int, set[int]] = {}
    nodes = {id(node): node for node, _ in gone}
    for node, place in gone:
        places.setdefault(id(node), set()).add(place)
    for key, node in nodes.items():
        marks, taken = node.marks, sorted(places[key])
        if not node.kind:
            alone = len(node.children) == 1
            for child in (node.children[place] for place in taken):
                end = child.end + len(_LINE_END.match(text, child.end)[0])  # type: ignore[index]
                yield child.start, child.end if alone else end, {"{": "{}", "[": "[]"}[child.kind] if alone else ""
            continue
        if node.kind != "[":
            keys = {one.place: one.end for one in node.strings if one.is_key}
            for place in taken:
                start, end = keys.get(place, marks[place]), marks[place + 1]
                start = text.find(":", start, end) + 1 if place in keys else start + 1
                yield start, end, " null"
            continue
        first = next((n for n in range(len(marks) - 1) if n not in places[key]), None)
        if first is None:
            yield marks[0], marks[-1], ""
            continue
        if first:
            yield marks[0], marks[first] + 1, ""
        yield from ((marks[n], marks[n + 1], "") for n in taken if n > first)
