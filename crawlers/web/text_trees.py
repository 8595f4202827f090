"""Read markup (HTML, XML, or what is neither) or JSON as a tree of places in its text, to cut a part out of it.

JSON may be lines, or objects within a script. Any text has a tree as markup: tags that do not match, cut ends and
undeclared prefixes are taken as browsers take them, as far as it matters for where an element ends. Every character is
read once; the stack is searched up to a bound.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "attribute", "comment", "script"]

MAX_STEPS = 64  # open elements among which an end tag, or one that is closed by another tag, looks for its own
_BEGIN = re.compile(r"<(?=[A-Za-z_!?]|/[A-Za-z_])")  # other signs `<` are text
_TAG = re.compile(
    r"<([A-Za-z_][^\s/>]*+)((?:[\s/]++|[^\s/>=][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)"
    r"|[^\s>\"'][^\s>]*+|(?=>)|\Z))?+|=)*+)(?:>|\Z)"
)
_ATTRIBUTE = re.compile(
    r"([^\s/>=][^\s/>=]*+)\s*+=\s*+(?:\"([^\"]*+)(?:\"|\Z)|'([^']*+)(?:'|\Z)|([^\s>\"'][^\s>]*+))|[^\s/>=][^\s/>=]*+|="
)
_RAW = {name: re.compile(rf"</{name}(?=[\s/>]|\Z)", re.IGNORECASE) for name in ("script", "style", "textarea", "title")}
_VOID = frozenset("area base br col embed frame hr img input link meta param source track wbr".split())
# Elements that a start tag ends, and those beyond which it does not look for them.
_ENDS = {
    "li": ({"li"}, {"ul", "ol", "menu"}),
    **dict.fromkeys(("dt", "dd"), ({"dt", "dd"}, {"dl"})),
    **dict.fromkeys(("td", "th"), ({"td", "th"}, {"tr", "table"})),
    "tr": ({"tr", "td", "th"}, {"table"}),
    **dict.fromkeys(("tbody", "thead", "tfoot"), ({"tbody", "thead", "tfoot", "tr", "td", "th"}, {"table"})),
    **dict.fromkeys(("option", "optgroup"), ({"option"}, {"select"})),
    "a": ({"a"}, {"td", "th", "table", "object"}),
}
BLOCKS = frozenset(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form h1"
    " h2 h3 h4 h5 h6 header hr html li main menu nav ol p pre section table tbody td tfoot th thead tr ul".split()
)


@dataclass(slots=True, eq=False)
class Element:
    """An element: its local name in lower case, and where it and its content are."""

    name: str
    start: int
    inner: int  # behind its start tag
    parent: Element | None
    end: int = -1
    children: list[Element] = field(default_factory=list)

    def climb(self) -> Iterator[Element]:
        """Yield the element and those around it, up to a bound, without the root."""
        here: Element | None = self
        for _ in range(MAX_STEPS):
            if here is None or here.parent is None:
                return
            yield here
            here = here.parent


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, the value of an attribute, a comment, or a script: what may hold an address or words."""

    kind: Kind
    start: int
    end: int
    element: Element  # around it, or whose attribute it is
    name: str = ""  # of the attribute


def parse_markup(text: str, *, html: bool) -> tuple[Element, list[Piece]]:
    """Return the root, which spans the text and has no name, and the pieces in order."""
    reader = _Reader(text, html)
    reader.read()
    return reader.root, reader.pieces


class _Reader:
    def __init__(self, text: str, html: bool) -> None:
        self.text, self.html = text, html
        self.root = Element("", 0, 0, None, len(text))
        self.stack, self.open = [self.root], Counter[str]()
        self.pieces: list[Piece] = []

    def read(self) -> None:
        text, at = self.text, 0
        while at < len(text):
            tag = _BEGIN.search(text, at)
            self._add("text", at, tag.start() if tag else len(text))
            at = self._read_tag(tag.start()) if tag else len(text)
        self._close(0, len(text))

    def _add(self, kind: Kind, start: int, end: int) -> None:
        if end > start:
            self.pieces.append(Piece(kind, start, end, self.stack[-1]))

    def _read_tag(self, at: int) -> int:
        """Read what begins with `<` at `at`; return where it ends."""
        text = self.text
        for begin, end, kind in (("<!--", "-->", "comment"), ("<![CDATA[", "]]>", "text")):
            if text.startswith(begin, at):
                stop = text.find(end, at + len(begin))
                self._add(kind, at + len(begin), stop if stop >= 0 else len(text))  # type: ignore[arg-type]
                return stop + len(end) if stop >= 0 else len(text)
        if text.startswith(("<!", "<?", "</"), at):
            stop = text.find(">", at)
            stop = stop if stop >= 0 else len(text)
            if text.startswith("</", at):
                self._end(_local(text[at + 2 : min(stop, at + 100)].split(None, 1)[0]), at, stop)
            else:
                self._add("comment", at + 2, stop)
            return min(stop + 1, len(text))
        tag = _TAG.match(text, at)
        assert tag is not None  # it ends at the end of the text at the latest
        return self._start(tag)

    def _start(self, tag: re.Match[str]) -> int:
        name = _local(tag[1])
        if self.html:
            self._end_others(name, tag.start())
        element = Element(name, tag.start(), tag.end(), self.stack[-1])
        element.parent.children.append(element)  # type: ignore[union-attr]
        for one in _ATTRIBUTE.finditer(tag[2]):
            group = one.lastindex or 0
            if group > 1 and one[group]:
                start = tag.start(2) + one.start(group)
                end = tag.start(2) + one.end(group)
                self.pieces.append(Piece("attribute", start, end, element, one[1].lower()))
        alone = tag[0].endswith("/>")
        if (self.html and name in _VOID) or (alone and not self.html):
            element.end = tag.end()
            return tag.end()
        self.stack.append(element)
        self.open[name] += 1
        if self.html and name in _RAW:
            found = _RAW[name].search(self.text, tag.end())
            end = found.start() if found else len(self.text)
            self._add("script" if name in ("script", "style") else "text", tag.end(), end)
            return end
        return tag.end()

    def _end_others(self, name: str, at: int) -> None:
        if name in BLOCKS and self.open["p"] and self.stack[-1].name == "p":
            self._close(len(self.stack) - 1, at)
        ended, beyond = _ENDS.get(name, ((), ()))
        if not any(self.open[one] for one in ended):
            return
        last = 0
        for n in range(len(self.stack) - 1, max(len(self.stack) - MAX_STEPS, 0), -1):
            if self.stack[n].name in beyond:
                break
            if self.stack[n].name in ended:
                last = n
                if name not in ("tr", "tbody", "thead", "tfoot"):
                    break
        if last:
            self._close(last, at)

    def _end(self, name: str, at: int, stop: int) -> None:
        if not self.open[name]:
            return
        for n in range(len(self.stack) - 1, max(len(self.stack) - MAX_STEPS, 0), -1):
            if self.stack[n].name == name:
                self._close(n + 1, at)
                self._close(n, min(stop + 1, len(self.text)), whole=True)
                return
            if self.html and self.stack[n].name in ("td", "th", "table") and name not in _ENDS and name != "table":
                return

    def _close(self, depth: int, at: int, *, whole: bool = False) -> None:
        """Close the elements from `depth` on: at `at`, or an inline one without an end tag where a block begins."""
        while len(self.stack) > max(depth, 1):
            element = self.stack.pop()
            self.open[element.name] -= 1
            element.end = at
            if self.html and not whole and element.name not in BLOCKS:
                block = next((one.start for one in element.children if one.name in BLOCKS), at)
                element.end = min(at, block)


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower().rstrip("/")


# Of JSON, JSON lines, and objects within a script.
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
