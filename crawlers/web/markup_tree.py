"""Read markup (HTML, XML, or what is neither) as a tree of places in its text, so that a part can be cut out of it.

Any text has a tree: tags that do not match, cut ends and undeclared prefixes are taken as browsers take them, as far as
it matters for where an element ends. Every character is read once; the stack is searched up to a bound.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
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
