"""Render markup as lines: a line for each block, list item and row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree, html

from crawlers.formats.html.html_tree import tree_of

# fmt: off
_BLOCKS = frozenset({
    "p", "div", "br", "hr", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "pre", "blockquote", "caption", "figure",
    "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header", "footer", "main", "address", "figcaption",
    "details", "summary", "fieldset", "legend", "option",
})
_HIDDEN = frozenset({"script", "style", "head", "noscript", "template", "button", "select", "nav"})
# fmt: on
_LISTS = frozenset({"ul", "ol", "dl"})
_ENTRIES = frozenset({"li", "dt", "dd"})
_CELLS = frozenset({"td", "th"})
_ACTING = _BLOCKS | _CELLS | {"a"}  # for other tags, only their text counts
_RUNS = frozenset({"p", "div", "br", "section"})  # do not break the line within a list item, as in trafilatura's output
MAX_SPAN = 1_000  # maximum rowspan, and columns of a row
# Soft hyphens and other zero-width characters; joiners of emoji are kept.
_WIDTHLESS = re.compile("[\u00ad\u200b\u2060\ufeff]+")


def strip_tags(text: str) -> str:
    """Return the text of a fragment of markup, with a line for each block.

    >>> strip_tags("<p>하나</p><ul><li>둘<li>셋</ul>넷<br>다섯 &amp; 여섯")
    '하나\\n둘\\n셋\\n넷\\n다섯 & 여섯'
    """
    tree = tree_of(text)
    return plain_lines(tree) if tree is not None else ""


def plain_lines(tree: html.HtmlElement) -> str:
    """Return a line for each block, without list and table marks; scripts and buttons are left out."""
    return _Writer(marked=False).text(tree, lambda element: False)


def lines_with_marks(tree: html.HtmlElement, left_out: Callable[[html.HtmlElement], bool]) -> str:
    r"""Return lines as above, with "- " before list items, rows as "| … |" and the white space of code kept.

    >>> rows = "<tr><th rowspan=2>셋<td>넷<tr><td>다섯"
    >>> page = html.fragment_fromstring(f"<div>하나<ul><li>둘</ul><table>{rows}</table><pre>a\n  b</pre></div>")
    >>> lines_with_marks(page, lambda element: False)
    '하나\n- 둘\n| 셋 | 넷 |\n| | 다섯 |\na\n  b'
    """
    return _Writer(marked=True).text(tree, left_out)


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line, its block, and the number of its code points inside links."""

    text: str
    owner: html.HtmlElement
    linked: int


def lines_with_places(tree: html.HtmlElement) -> list[PlacedLine]:
    """Return all lines of `lines_with_marks` with their blocks; the paragraphs of a list item are one line.

    >>> page = html.fragment_fromstring("<div><p>하나 <a href=x>둘</a></p><ul><li>셋</ul></div>")
    >>> [(line.text, line.owner.tag, line.linked) for line in lines_with_places(page)]
    [('하나 둘', 'p', 1), ('- 셋', 'li', 0)]
    """
    writer = _Placing(marked=True)
    writer.place(tree)
    return [PlacedLine(*said) for said in zip(writer.lines, writer.owners, writer.links, strict=True)]


@dataclass(slots=True)
class _Writer:
    marked: bool
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    mark: str = ""  # before the next line
    lists: int = 0
    rows: int = 0  # open table rows
    cells: list[str] = field(default_factory=list)  # of the outermost row
    spans: dict[int, int] = field(default_factory=dict)  # column → remaining rows of the cell that spans it
    codes: int = 0

    def text(self, tree: html.HtmlElement, left_out: Callable[[html.HtmlElement], bool]) -> str:
        hidden: html.HtmlElement | None = None
        for event, element in etree.iterwalk(tree, events=("start", "end")):
            if event == "start":
                if hidden is None and (element.tag in _HIDDEN or left_out(element)):
                    hidden = element
                if hidden is None:
                    self._open(element)
                    self._say(element.text)
                continue
            if hidden is None:
                self._close(element.tag)
            elif hidden is element:
                hidden = None
            if hidden is None and element is not tree and element.tag != "body":
                self._say(element.tail)
        self._end()
        return "\n".join(self.lines)

    def _open(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCKS:
            self._end()
        if not self.marked:
            return
        if tag in _LISTS:
            self.lists += 1
        elif tag in _ENTRIES and not self.rows:
            self.mark = "  " * (self.lists - 1) + "- "
        elif tag == "table" and not self.rows:
            self.spans = {}
        elif tag == "tr":
            self.rows += 1
        elif tag in _CELLS and self.rows == 1:
            self._cell(element.get("rowspan") or "")
        elif tag == "pre":
            self.codes += 1

    def _close(self, tag: str) -> None:
        if tag in _CELLS:
            if self.rows == 1:
                self.cells.append(self._take_line())
            else:
                self.line.append(" ")
        if tag == "tr" and self.rows:
            self.rows -= 1
            if not self.rows:
                self._row()
        if tag in _BLOCKS and tag != "br":
            self._end()
        if tag in _LISTS and self.lists:
            self.lists -= 1
            self.mark = ""
        elif tag == "pre" and self.codes:
            self.codes -= 1

    def _say(self, text: str | None) -> None:
        if text:
            self.line.append(text)

    def _take_line(self) -> str:
        """Return the words of the line and reset it."""
        words = " ".join(_WIDTHLESS.sub("", "".join(self.line)).split())
        self.line.clear()
        return words

    def _cell(self, rows: str) -> None:
        """Begin a cell; columns covered by a cell above are empty."""
        while self.spans.get(len(self.cells), 0) and len(self.cells) < MAX_SPAN:
            self.spans[len(self.cells)] -= 1
            self.cells.append("")
        if rows.isdecimal() and 1 < int(rows[:5]) <= MAX_SPAN:
            self.spans[len(self.cells)] = int(rows[:5]) - 1

    def _row(self) -> None:
        if rest := self._take_line():
            self.cells.append(rest)
        while self.cells and not self.cells[-1]:
            self.cells.pop()
        if self.cells:
            self.lines.append(" ".join(f"| {words}" if words else "|" for words in self.cells) + " |")
        self.cells = []

    def _end(self) -> None:
        if not self.line:
            return
        if self.rows:
            self.line.append(" ")
            return
        text = _WIDTHLESS.sub("", "".join(self.line))
        self.line.clear()
        if self.codes:
            self.lines += [line.rstrip() for line in text.split("\n") if line.strip()]
        elif self.marked:
            if line := " ".join(text.split()):
                self.lines.append(self.mark + line)
                self.mark = ""
        else:
            self.lines += [line for raw in text.split("\n") if (line := " ".join(raw.split()))]


@dataclass(slots=True)
class _Placing(_Writer):
    """The same writer, which also records block and links of each line."""

    owners: list[html.HtmlElement] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    blocks: list[html.HtmlElement] = field(default_factory=list)  # open blocks
    entries: int = 0  # open list items
    anchors: int = 0  # open links
    linked: int = 0  # code points inside links since the last line

    def place(self, tree: html.HtmlElement) -> None:
        """Do the work of `text`, inlined for speed: every page with a template goes through it."""
        line, passed = self.line, None
        walker = etree.iterwalk(tree, events=("start", "end"))
        for event, element in walker:
            tag = element.tag
            if event == "start":
                if tag in _HIDDEN:
                    passed = element
                    walker.skip_subtree()
                    continue
                if tag in _ACTING or element is tree:
                    self._open(element)
                text = element.text
            else:
                if element is passed:
                    passed = None
                elif tag in _ACTING:
                    self._close(tag)
                if element is tree or tag == "body":
                    continue
                text = element.tail
            # White space before the first word of a line is dropped, except in code.
            if text and (line or self.codes or not text.isspace()):
                line.append(text)
                if self.anchors:
                    self.linked += len(text.strip())
        self._end()

    def _open(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _RUNS and self.entries:
            self.line.append(" ")
        else:
            _Writer._open(self, element)
        if tag in _ENTRIES:
            self.entries += 1
        if tag in _BLOCKS or not self.blocks:
            self.blocks.append(element)
        if element.tag == "a":
            self.anchors += 1

    def _close(self, tag: str) -> None:
        if tag in _RUNS and self.entries:
            self.line.append(" ")
        else:
            _Writer._close(self, tag)
        if tag in _ENTRIES and self.entries:
            self.entries -= 1
        if tag == "a" and self.anchors:
            self.anchors -= 1
        if tag in _BLOCKS and len(self.blocks) > 1:
            self.blocks.pop()

    def _row(self) -> None:
        _Writer._row(self)
        self._place()

    def _end(self) -> None:
        if self.line:
            _Writer._end(self)
            if not self.rows:
                self._place()

    def _place(self) -> None:
        for _ in range(len(self.lines) - len(self.owners)):
            self.owners.append(self.blocks[-1])
            self.links.append(self.linked)
        self.linked = 0
