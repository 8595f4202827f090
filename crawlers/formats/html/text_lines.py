"""Render markup as lines: a line for each block, list item and row; tables and code as in Markdown.

Code must be marked before (`code_blocks.mark_code`), and layout tables unwrapped (`layout.unwrap_tables`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from lxml import etree, html

from crawlers.formats.html.code_blocks import LANGUAGE
from crawlers.formats.html.html_tree import tree_of
from crawlers.formats.markdown_table import write_rows

# fmt: off
_PLAIN_BLOCKS = frozenset({
    "p", "div", "br", "hr", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "pre", "blockquote", "caption", "figure",
    "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header", "footer", "main", "address", "figcaption",
    "details", "summary", "fieldset", "legend", "option",
})
_BLOCKS = _PLAIN_BLOCKS | {"nav", "aside", "center", "form", "menu", "dir", "body"}
_HIDDEN = frozenset({"script", "style", "head", "noscript", "template", "button", "select"})
# fmt: on
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_CELLS = frozenset({"td", "th"})
_ACTING = _BLOCKS | _CELLS | {"a"}  # for other tags, only their text counts
_RUNS = frozenset({"div", "br", "section"})  # do not break the line within a list item
MAX_SPAN = 1_000  # maximum rowspan, and columns of a row
MAX_INDENT = 20  # levels of lists that are indented
# Soft hyphens and other zero-width characters; joiners of emoji are kept.
_WIDTHLESS = re.compile("[\u00ad\u200b\u2060\ufeff]+")
_NOTE_MARK = re.compile(r"\[\d{1,3}\]")
# Ids of footnotes: Markdown converters, MediaWiki, GitHub, Pandoc, WordPress.
_NOTE_ID = re.compile(r"(?:user-content-)?(?:fn|footnote|cite_note|note)[-_:]{0,2}(?:[^\d]{0,40}-)?(\d{0,4})$")
_TICKS = re.compile("`+")
HEAVY = 3  # tags that make a cell markup; one or two may be mentioned as text
_CLOSED = re.compile(  # an end tag or a <br/> is markup, unless it is quoted or called a tag
    r"(?:</(?:p|div|span|a|b|i|u|em|strong|font|li|ul|ol|td|tr|table|h[1-6]|center|blockquote)\s?>|<br\s?/>)"
    r"(?![\"'`”’]|\s?(?:태그|tag))",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|lt|gt|amp|quot|apos|nbsp|middot|hellip|[lr][sd]quo);")
_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|em|strong|font|img|ul|ol|li|table|tbody|tr|td|th|h[1-6]|hr|pre|center|blockquote)"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)


def strip_tags(text: str) -> str:
    """Return the text of a fragment of markup, with a line for each block.

    >>> strip_tags("<p>하나</p><ul><li>둘<li>셋</ul>넷<br>다섯 &amp; 여섯")
    '하나\\n둘\\n셋\\n넷\\n다섯 & 여섯'
    """
    tree = tree_of(text)
    return plain_lines(tree) if tree is not None else ""


def plain_lines(tree: html.HtmlElement) -> str:
    """Return a line for each block, without any marks; scripts, buttons and menus are left out."""
    lines: list[str] = []
    line: list[str] = []

    def end() -> None:
        if line:
            text = _WIDTHLESS.sub("", "".join(line))
            line.clear()
            lines.extend(words for raw in text.split("\n") if (words := " ".join(raw.split())))

    walker = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walker:
        if element.tag in _PLAIN_BLOCKS:
            end()
        elif event == "end" and element.tag in _CELLS:
            line.append(" ")
        if event == "start" and (element.tag in _HIDDEN or element.tag == "nav"):
            walker.skip_subtree()
        elif event == "start" and element.text:
            line.append(element.text)
        elif event == "end" and element.tail and element is not tree and element.tag != "body":
            line.append(element.tail)
    end()
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line, its block, and the number of its code points inside links.

    A block of code is one "line" with its fences; so are the head row of a table and the delimiter row below it.
    """

    text: str
    owner: html.HtmlElement
    linked: int


def lines_with_marks(tree: html.HtmlElement) -> str:
    r"""Return lines with "- " or a number before list items, tables and code as in Markdown.

    >>> rows = "<tr><th rowspan=2>셋<td>넷<tr><td>다섯"
    >>> code = "<pre data-code=js>a\n  b</pre>"
    >>> page = html.fragment_fromstring(f"<div>하나<ol><li>둘</ol><table>{rows}</table>{code}</div>")
    >>> print(lines_with_marks(page))
    하나
    1. 둘
    | 셋 | 넷 |
    | --- | --- |
    | | 다섯 |
    ```js
    a
      b
    ```
    """
    return "\n".join(line.text for line in lines_with_places(tree))


def lines_with_places(tree: html.HtmlElement) -> list[PlacedLine]:
    """Return all lines with their blocks; boxes inside a list item do not break its line.

    >>> page = html.fragment_fromstring("<div><p>하나 <a href=x>둘</a></p><ul><li>셋</ul></div>")
    >>> [(line.text, line.owner.tag, line.linked) for line in lines_with_places(page)]
    [('하나 둘', 'p', 1), ('- 셋', 'li', 0)]
    """
    return _Writer().place(tree)


def split_lines(text: str) -> list[str]:
    r"""Split a text into lines as `lines_with_places` gives them: a block of code is one.

    >>> split_lines("하나\n```js\na\n\nb\n```\n둘")
    ['하나', '```js\na\n\nb\n```', '둘']
    """
    found: list[str] = []
    code: list[str] = []  # lines of the open block of code
    for line in text.split("\n"):
        if code:
            code.append(line)
            if line == "`" * (len(code[0]) - len(code[0].lstrip("`"))):
                found.append("\n".join(code))
                code = []
        elif line.startswith("```"):
            code = [line]
        else:
            found.append(line)
    return found + code


@dataclass(slots=True)
class _Row:
    owner: html.HtmlElement
    cells: dict[int, str] = field(default_factory=dict)
    linked: int = 0
    next: int = 0  # column of the next cell


@dataclass(slots=True)
class _Writer:
    lines: list[PlacedLine] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    linked: int = 0  # code points inside links since the last line
    anchors: int = 0  # open links
    blocks: list[html.HtmlElement] = field(default_factory=list)  # open blocks
    lists: list[int] = field(default_factory=list)  # open lists: number of the next item, or 0
    entries: list[html.HtmlElement] = field(default_factory=list)  # open list items
    mark: str = ""  # before the next line
    tables: int = 0  # open tables
    rows: list[_Row] = field(default_factory=list)  # of the outermost table
    row: _Row | None = None  # the open row of the outermost table
    spans: dict[int, int] = field(default_factory=dict)  # column → remaining rows of the cell that spans it

    def place(self, tree: html.HtmlElement) -> list[PlacedLine]:
        """Walk the tree once and return the lines."""
        line = self.line
        self.blocks.append(tree)
        walker = etree.iterwalk(tree, events=("start", "end"))
        for event, element in walker:
            tag = element.tag
            if event == "start":
                if tag in _HIDDEN or tag == "textarea":
                    walker.skip_subtree()
                    continue
                if tag in _ACTING and element is not tree:
                    self._open(element, tag)
                text = element.text
                if tag == "pre" and not self.tables:
                    self._write_code(element)
                    continue
            else:
                if tag in _ACTING and tag not in _HIDDEN and element is not tree:
                    self._close(element, tag)
                if element is tree or tag == "body":
                    continue
                text = element.tail
            # White space before the first word of a line is dropped.
            if text and (line or not text.isspace()):
                line.append(text)
                if self.anchors:
                    self.linked += len(text.strip())
        self._end()
        self._write_table()
        return self.lines

    def _open(self, element: html.HtmlElement, tag: str) -> None:
        if tag == "a":
            self.anchors += 1
        elif self.tables:
            self._open_in_table(element, tag)
        elif tag in _RUNS and self.entries:
            self.line.append(" ")
        else:
            self._end()
            if tag in _LISTS:
                start = element.get("start") or ""
                is_number = start.isdecimal() and len(start) < 6 and int(start)
                self.lists.append(0 if tag != "ol" else int(start) if is_number else 1)
            elif tag == "li":
                self._open_entry(element)
            elif tag == "table":
                self.tables, self.rows, self.spans = 1, [], {}
        if tag in _BLOCKS and tag != "br":
            self.blocks.append(element)

    def _close(self, element: html.HtmlElement, tag: str) -> None:
        if tag == "a":
            self.anchors = max(0, self.anchors - 1)
        elif self.tables:
            self._close_in_table(element, tag)
        elif tag in _RUNS and self.entries:
            self.line.append(" ")
        elif tag in _CELLS:
            self.line.append(" ")  # outside a table
        elif tag in _BLOCKS:
            self._end()
            if tag in _LISTS and self.lists:
                self.lists.pop()
                self.mark = ""
            elif tag == "li" and self.entries:
                self.entries.pop()
                self.mark = ""
        if tag in _BLOCKS and tag != "br" and len(self.blocks) > 1:
            self.blocks.pop()

    def _open_entry(self, element: html.HtmlElement) -> None:
        self.entries.append(element)
        number = self.lists[-1] if self.lists else 0
        if number and self.lists:
            self.lists[-1] += 1
        indent = "  " * min(max(0, len(self.lists) - 1), MAX_INDENT)
        if note := _NOTE_ID.match(element.get("id") or ""):
            self.mark = f"[{note.group(1) or number or 1}] "
        else:
            self.mark = f"{indent}{number}. " if number else f"{indent}- "

    def _open_in_table(self, element: html.HtmlElement, tag: str) -> None:
        self.line.append(" ")
        if tag == "table":
            self.tables += 1
        elif self.tables > 1:
            return
        elif tag == "tr":
            self._end_row()
            self.row = _Row(element)
        elif tag in _CELLS:
            if self.row is None:
                self.row = _Row(element)
            self._open_cell(element, self.row)

    def _open_cell(self, element: html.HtmlElement, row: _Row) -> None:
        """Begin a cell; columns covered by a cell above are empty."""
        self.line.clear()
        self.linked = 0
        while self.spans.get(row.next, 0) and row.next < MAX_SPAN:
            self.spans[row.next] -= 1
            row.next += 1
        down, right = _span(element, "rowspan"), _span(element, "colspan")
        if down > 1:
            for column in range(row.next, min(row.next + right, MAX_SPAN)):
                self.spans[column] = down - 1

    def _close_in_table(self, element: html.HtmlElement, tag: str) -> None:
        if tag == "table":
            self.tables -= 1
            if not self.tables:
                self._end_row()
                self._write_table()
                return
        elif self.tables == 1 and tag in _CELLS:
            self._close_cell(element)
            return
        elif self.tables == 1 and tag == "tr":
            self._end_row()
            return
        self.line.append(" ")

    def _close_cell(self, element: html.HtmlElement) -> None:
        """End a cell of the outermost table."""
        row = self.row
        if row is None:
            return
        words = self._take_line()
        if words and row.next < MAX_SPAN:
            row.cells[row.next] = words
            row.linked += self.linked
        self.linked = 0
        row.next += _span(element, "colspan")

    def _end_row(self) -> None:
        """End the open row; words outside its cells become a cell."""
        rest = self._take_line()
        if self.row is not None:
            if rest:
                self.row.cells[self.row.next] = rest
            for column in [column for column in self.spans if column >= self.row.next]:
                self.spans[column] -= self.spans[column] > 0
            self.rows.append(self.row)
        elif rest:
            self.rows.append(_Row(self.blocks[-1], {0: rest}))
        self.row = None

    def _write_table(self) -> None:
        filled = [row for row in self.rows if row.cells]
        lines = write_rows([row.cells for row in filled])
        if len(lines) > len(filled):  # the head row, and the delimiter row below it
            lines[:2] = ["\n".join(lines[:2])]
        self.lines += [PlacedLine(text, row.owner, row.linked) for text, row in zip(lines, filled, strict=True)]
        self.rows = []

    def _write_code(self, pre: html.HtmlElement) -> None:
        self._end()
        text = pre.text or ""
        if not text.strip():
            return
        fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
        self.lines.append(PlacedLine(f"{fence}{pre.get(LANGUAGE) or ''}\n{text}\n{fence}", pre, 0))

    def _take_line(self) -> str:
        """Return the words of the line and reset it."""
        words = " ".join(_WIDTHLESS.sub("", "".join(self.line)).split())
        self.line.clear()
        return words

    def _end(self) -> None:
        if self.line:
            words = self._take_line()
            if _NOTE_MARK.fullmatch(words):
                self.mark = f"{words} "  # the text of the note is the next block
            elif words:
                self.lines.append(PlacedLine(self.mark + words, self.blocks[-1], self.linked))
                self.mark = ""
            self.linked = 0


def _span(cell: html.HtmlElement, name: str) -> int:
    said = (cell.get(name) or "").strip()
    return min(int(said), MAX_SPAN) if said.isdecimal() and len(said) < 6 and int(said) else 1


def plain_words(value: str) -> str:
    r"""Return the words of a cell or field. Three tags or one end tag make it markup; fewer tags are kept as text.

    >>> plain_words("세정 &lt;1차&gt;"), plain_words("세정<br/>건조"), plain_words("<br> 태그를 쓴다.")
    ('세정 <1차>', '세정\n건조', '<br> 태그를 쓴다.')
    """
    if _CLOSED.search(value) or len(_TAG.findall(value)) >= HEAVY:
        return strip_tags(value)
    return unescape(value) if _REFERENCE.search(value) else value
