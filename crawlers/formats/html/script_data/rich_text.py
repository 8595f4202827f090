"""Turn the body of an article, as data of a page carry it, into markup: one way to extract text for all of them.

A body is a string (markup, escaped markup, Markdown, plain lines), a list of blocks, or the document of an editor
(ProseMirror, Draft, Editor.js, Slate, Lexical, Portable Text, Quill, Gutenberg, Notion, SmartEditor, mdast, hast, React
elements). They differ in names only: a node has a type, text or children, and perhaps a level. So no editor has a
reader of its own: the type is recognised by its name, and the content by the keys that hold content.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt

from crawlers.formats.html.script_data.rich_nodes import (
    BLOCKS,
    ELEMENT,
    HEADERS,
    MAX_DEPTH,
    ROWS,
    Node,
    boxes_of,
    cells_of,
    code_language,
    code_lines,
    column_of,
    first_list,
    first_text,
    heading_level,
    inner_of,
    is_code,
    is_element,
    is_hast,
    is_header,
    is_inline,
    list_of_fields,
    node_kind,
    rows_of,
    spans_of,
)
from malmoi.limits import MARKDOWN_LINES, MARKDOWN_MARKS

MAX_NODES = 100_000  # of one body
MAX_MARKUP = 4_000_000  # code points
_HEADS = ("heading", "subtitle", "subheading", "title", "header", "question", "소제목")
_HEADER_ROW = ("withHeadings", "hasHeader", "hasHeaderRow", "has_column_header", "headerRow")
# Blocks that follow each other and are one block together: list items, lines of code.
_GROUPS = {"item": "items", "ordereditem": "items", "code": "code"}
_VOID = frozenset({"br", "hr", "img", "wbr", "input", "source", "col"})
_DROPPED = frozenset(
    {"script", "style", "nav", "aside", "footer", "button", "svg", "form", "iframe", "img", "figcaption"}
)
_ATTRIBUTES = {
    "className": "class", "class": "class", "id": "id", "href": "href", "rowSpan": "rowspan", "colSpan": "colspan",
}  # fmt: skip
_ADDRESS = re.compile(r"^(?:https?:|/|[\w./-]{1,200}\.(?:jpe?g|png|gif|webp|svg|mp4|pdf)$)")
_KOREAN = re.compile("[가-힣]")
_TAG = re.compile(
    r"</(?:p|div|span|a|b|i|u|em|strong|font|li|ul|ol|td|tr|table|h[1-6]|center|blockquote|code|pre|mark|section|figure"
    r"|sup|sub)\s?>|<br\s?/?>|<(?:p|div|br|img|h[1-6]|li|figure|hr|table|ul|ol)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"&lt;/(?:p|div|span|li|h[1-6]|strong|a|td)&gt;|&lt;br\s?/?&gt;", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_MARKDOWN = re.compile(
    r"^#{1,6} \S|^ {0,3}```|^ {0,3}~~~|^\|.{0,2000}\|\s{0,3}$|\*\*[^*\n]{1,200}\*\*"
    r"|!?\[[^\]\n]{0,200}\]\([^)\s]{1,500}\)"
    r"|^ {0,3}(?:[-*+] \S.{0,2000}\n {0,9}[-*+] \S|1\. \S.{0,2000}\n\s?(?:\n)?2\. \S)"
    r"|^> \S|`[^`\n]{1,200}`",
    re.MULTILINE,
)
_PARSER = MarkdownIt("commonmark", {"breaks": True}).enable(["table", "strikethrough"])


def to_markup(value: Any) -> str:
    r"""Return a body as markup; "" if it holds no text.

    >>> to_markup("하나\n\n둘 < 셋")
    '<p>하나</p><p>둘 &lt; 셋</p>'
    >>> to_markup([{"type": "header", "data": {"level": 3, "text": "하나"}}, {"type": "list", "items": ["둘"]}])
    '<h3>하나</h3><ul><li>둘</li></ul>'
    """
    writer = _Writer()
    try:
        return writer.body(value, 0)[:MAX_MARKUP]
    except RecursionError:
        return ""


class _Writer:
    """Write nodes as markup; after MAX_NODES nodes the rest is left out."""

    def __init__(self) -> None:
        self._left = MAX_NODES
        self._codes_open = 0  # <pre> around the node

    def body(self, value: Any, depth: int) -> str:
        """Return the markup of a value among blocks."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            return ""
        if isinstance(value, str):
            return string_blocks(value)
        if isinstance(value, list):
            return self._element(value, depth) if is_element(value) else self._blocks(value, depth)
        if isinstance(value, dict):
            if isinstance(value.get("ops"), list):
                return _write_delta(value["ops"])
            return self._block(value, depth)
        return ""

    def _blocks(self, nodes: list[Any], depth: int) -> str:
        if tag := list_of_fields(nodes):
            return f"<{tag}>{''.join(self._item(node, depth + 1) for node in nodes)}</{tag}>"
        parts: list[str] = []
        groups = groupby(nodes, lambda node: _GROUPS.get(node_kind(node), "") if isinstance(node, dict) else "")
        for group, members in groups:
            if group == "items":
                parts.append(self._items(members, depth))
            elif group == "code":
                parts += _write_codes(members)
            else:
                parts += [self.body(node, depth + 1) for node in members]
        return "".join(parts)

    def _block(self, node: Node, depth: int) -> str:
        if is_hast(node):
            return self._element(node, depth)
        match node_kind(node):
            case "skip" | "break":
                return ""
            case "raw":
                return inner if isinstance(inner := inner_of(node), str) else ""
            case "code":
                return "".join(_write_codes([node]))
            case "heading":
                level, words = heading_level(node), self._inline(inner_of(node), depth + 1).strip()
                return f"<h{level}>{words}</h{level}>" if words else ""
            case "ordered" | "list" as kind:
                entries = first_list(node, ("items", "children", "content", "listItems"))
                entries = inner_of(node) if entries is None else entries
                return self._list(entries, "ol" if kind == "ordered" else "ul", depth)
            case "item" | "ordereditem":
                return self._items([node], depth)
            case "quote":
                return f"<blockquote>{self._content(node, depth)}</blockquote>"
            case "table":
                return self._table(node, depth)
            case "paragraph" | "inline":
                return self._paragraph(node, depth)
            case "math":
                return f"<p>{self._inline(node, depth)}</p>"
            case _:
                return self._content(node, depth)

    def _content(self, node: Node, depth: int) -> str:
        """Return the markup of an unknown node: its heading, and what it holds."""
        heads = (*_HEADS, "name", "label") if any(isinstance(value, list) for value in node.values()) else _HEADS
        head = next((node[name] for name in heads if isinstance(node.get(name), str) and node[name].strip()), "")
        inner = inner_of(node, without=("title",) if head else ())
        title = f"<h2>{string_inline(head)}</h2>" if head and inner is not None else ""
        if inner is None:
            words = _join_fields(node)
            return f"<p>{words}</p>" if words else ""
        if inner is node.get("items") and isinstance(inner, list) and all(isinstance(entry, str) for entry in inner):
            return title + self._list(inner, "ul", depth)
        if isinstance(inner, list) and inner and not is_element(inner) and all(map(is_inline, inner)):
            return title + self._paragraph(node, depth)
        return title + self.body(inner, depth + 1)

    def _paragraph(self, node: Node, depth: int) -> str:
        inner = inner_of(node)
        if isinstance(inner, str):
            return string_blocks(inner)
        if isinstance(inner, list) and any(
            isinstance(entry, dict) and node_kind(entry) in (*BLOCKS, "paragraph") for entry in inner
        ):
            return self._blocks(inner, depth + 1)
        words = self._inline(inner, depth + 1)
        return f"<p>{words}</p>" if words else ""

    def _list(self, inner: Any, tag: str, depth: int) -> str:
        if isinstance(inner, str):
            inner = [inner] if "<li" in inner else [line.strip(" -*·•") for line in inner.split("\n")]
        if not isinstance(inner, list):
            return ""
        if len(inner) == 1 and isinstance(inner[0], str) and "<li" in inner[0]:
            return inner[0] if re.match(r"\s*<[ou]l", inner[0]) else f"<{tag}>{inner[0]}</{tag}>"
        return f"<{tag}>{''.join(self._item(entry, depth + 1) for entry in inner)}</{tag}>"

    def _item(self, entry: Any, depth: int) -> str:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            return ""
        if isinstance(entry, dict) and node_kind(entry) in ("list", "ordered"):  # Lexical, Slate: beside the items
            return f"<li>{self._block(entry, depth)}</li>"
        if isinstance(entry, list) and not is_element(entry):
            return f"<li>{self._render_mixed(entry, depth)}</li>"
        if not isinstance(entry, dict):
            words = self._inline(entry, depth)
            return f"<li>{words}</li>" if words else ""
        inner = inner_of(entry, without=("items",) if "content" in entry or "text" in entry else ())
        if inner is None:
            words = _join_fields(entry)
            return f"<li>{words}</li>" if words else ""
        words = self._render_mixed(inner, depth) if isinstance(inner, list) else self._inline(inner, depth)
        head = first_text(entry, ("title", "name", "term"))
        if head and inner != head:
            words = f"{string_inline(head)}: {words}" if words else string_inline(head)
        more = first_list(entry, ("items", "children", "subItems"))
        if more and more is not inner:
            words += self._list(more, "ul", depth + 1)
        return f"<li>{words}</li>" if words else ""

    def _render_mixed(self, nodes: list[Any], depth: int) -> str:
        """Return inline nodes, and blocks among them, of a list item or a cell."""
        parts: list[str] = []
        for node in nodes:
            kind = node_kind(node) if isinstance(node, dict) else ""
            if kind == "paragraph":
                words = self._inline(inner_of(node), depth + 1)
                parts.append(f"<br>{words}" if parts and words else words)
            elif kind in BLOCKS or kind == "box":
                parts.append(self._block(node, depth + 1))
            else:
                parts.append(self._inline(node, depth + 1))
        return "".join(parts)

    def _items(self, nodes: Iterable[Node], depth: int) -> str:
        """Return items that follow each other without a list around, nested by their depth or level."""
        parts: list[str] = []
        open_: list[tuple[int, str]] = []
        for node in nodes:
            level = next((node[name] for name in ("depth", "level", "indent") if isinstance(node.get(name), int)), 0)
            tag = "ol" if node_kind(node) == "ordereditem" else "ul"
            while open_ and (open_[-1][0] > level or (open_[-1][0] == level and open_[-1][1] != tag)):
                parts.append(f"</li></{open_.pop()[1]}>")
            if open_ and open_[-1][0] == level:
                parts.append("</li>")
            else:
                parts.append(f"<{tag}>")
                open_.append((level, tag))
            parts.append(self._item(node, depth + 1).removesuffix("</li>"))
        while open_:
            parts.append(f"</li></{open_.pop()[1]}>")
        return "".join(parts)

    def _table(self, node: Node, depth: int) -> str:
        header: list[Any] = []
        rows: list[Any] = []
        caption = ""
        boxes = boxes_of(node, "table")
        for box in boxes:
            if isinstance(markup := box.get("html") or box.get("innerHTML"), str) and "<t" in markup:
                return markup
            caption = caption or first_text(box, ("caption", "title"))
            header = header or first_list(box, HEADERS) or []
            rows = rows or first_list(box, ROWS) or []
        if header and isinstance(header[0], (list, dict)) and cells_of(header[0]) is not None:
            rows, header = [*header, *rows], []
        rows = list(rows_of(rows, 0))
        columns = [column_of(column) for column in header]
        is_keyed = not header and bool(rows) and cells_of(rows[0]) is None
        if is_keyed:  # the fields of the first row are the columns
            columns = [(field, field) for field in rows[0]]
        lines = [self._row([label for _, label in columns], depth, head=True)] if header or is_keyed else []
        has_header_row = not lines and any(box.get(name) is True for box in boxes for name in _HEADER_ROW)
        for row in rows:
            cells = cells_of(row)
            if cells is None:
                cells = [row.get(field, "") for field, _ in columns]
            lines.append(self._row(cells, depth, head=has_header_row and not lines))
        return (f"<p>{string_inline(caption)}</p>" if caption else "") + f"<table>{''.join(lines)}</table>"

    def _row(self, cells: list[Any], depth: int, *, head: bool) -> str:
        parts: list[str] = []
        for cell in cells:
            is_node = isinstance(cell, dict)
            inner = inner_of(cell, cell=True) if is_node else cell
            is_mixed = isinstance(inner, list) and not is_element(inner)
            words = self._render_mixed(inner, depth + 2) if is_mixed else self._inline(inner, depth + 2)
            tag = "th" if head or (is_node and is_header(cell)) else "td"
            parts.append(f"<{tag}{spans_of(cell) if is_node else ''}>{words}</{tag}>")
        return f"<tr>{''.join(parts)}</tr>"

    def _inline(self, node: Any, depth: int) -> str:
        """Return the words of a node inside a paragraph."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH or node is None or isinstance(node, bool):
            return ""
        if isinstance(node, str):
            return string_inline(node)
        if isinstance(node, (int, float)):
            return f"{node:g}"
        if isinstance(node, list):
            if is_element(node):
                return self._element(node, depth)
            return "".join(self._inline(entry, depth + 1) for entry in node)
        if not isinstance(node, dict):
            return ""
        kind = node_kind(node)
        if kind == "skip":
            return ""
        if kind == "break":
            return "<br>"
        if is_hast(node):
            return self._element(node, depth)
        if kind in ("code", "inlinecode") or is_code(node):
            return f"<code>{html.escape(' '.join(code_lines(node, 0)), quote=False)}</code>"
        inner = inner_of(node)
        if kind == "math":
            is_formula = isinstance(inner, str)
            return f"${html.escape(inner.strip(' $'), quote=False)}$" if is_formula else self._inline(inner, depth + 1)
        words = self._inline(inner, depth + 1)
        tail = "\n" if kind in ("paragraph", "heading", "item", "ordereditem") and words else ""
        return words + tail

    def _element(self, node: Any, depth: int) -> str:
        """Return an element of hast, React or Nuxt Content as markup."""
        markup: Any = None
        if isinstance(node, dict):
            tag, props = str(node.get("tagName") or node.get("tag")), node.get("properties") or node.get("props") or {}
            inner = node.get("children")
        elif node[0] == "$":
            _, tag, _, props = node[:4]
            if isinstance(raw := props.get("dangerouslySetInnerHTML"), dict):
                markup = raw.get("__html")
            inner = props.get("children")
            if inner is None:
                inner = next(
                    (props[key] for key in ("html", "content", "text") if isinstance(props.get(key), str)), None
                )
        else:
            tag, props, *inner = node
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH or tag in _DROPPED:
            return ""
        self._codes_open += tag == "pre"
        words = markup if isinstance(markup, str) else self._children(inner, depth + 1)
        self._codes_open -= tag == "pre"
        if not ELEMENT.fullmatch(tag) or "-" in tag:  # a component
            return str(words)
        if tag in _VOID:
            return f"<{tag}>"
        names = "".join(
            f' {name}="{html.escape(str(value))}"'
            for key, name in _ATTRIBUTES.items()
            if isinstance(value := props.get(key), (str, int)) and not isinstance(value, bool)
        )
        return f"<{tag}{names}>{words}</{tag}>"

    def _children(self, inner: Any, depth: int) -> str:
        if isinstance(inner, str):
            escaped = "" if inner[:1] == "$" and len(inner) < 12 else html.escape(inner, quote=False)
            return escaped if self._codes_open else escaped.replace("\n\n", "<br>")
        if isinstance(inner, list) and not is_element(inner):
            return "".join(self._children(entry, depth + 1) for entry in inner) if depth < MAX_DEPTH else ""
        return self._inline(inner, depth)


def _join_fields(node: Node) -> str:
    """Return the words of an object without a field of content: its strings but addresses and names of files."""
    words = [value for value in node.values() if isinstance(value, str) and not _ADDRESS.search(value)]
    return string_inline(" ".join(words)) if any(map(_KOREAN.search, words)) else ""


def _write_codes(nodes: Iterable[Any]) -> Iterator[str]:
    """Yield code blocks; of single lines that follow each other (Draft) one block is made."""
    texts = [(code_language(node), "\n".join(code_lines(node, 0)).strip("\n")) for node in nodes]
    if len(texts) > 1 and all("\n" not in text for _, text in texts):
        texts = [(texts[0][0], "\n".join(text for _, text in texts))]
    for language, text in texts:
        if text:
            name = f' class="language-{html.escape(language)}"' if language else ""
            yield f"<pre><code{name}>{html.escape(text, quote=False)}</code></pre>"


def _write_delta(ops: list[Any]) -> str:
    """Return a Quill delta as markup: the attributes of a line end are those of its block."""
    lines: list[tuple[str, str]] = []  # kind of the block and markup
    line = ""
    for op in ops:
        text = op.get("insert") if isinstance(op, dict) else None
        if not isinstance(text, str):
            continue
        marks = op.get("attributes") or {}
        names = (name for name in ("code-block", "list", "header", "blockquote") if marks.get(name))
        kind = next((f"{name}{marks[name]}" for name in names), "")
        *ended, rest = text.split("\n")
        is_break = not text.strip("\n")
        for piece in ended:
            lines.append((kind if piece or is_break else "", line + _write_piece(piece, marks)))
            line = ""
        line += _write_piece(rest, marks)
    lines.append(("", line))
    parts: list[str] = []
    for kind, group in groupby(lines, lambda line: line[0]):
        texts = [text for _, text in group]
        if kind.startswith("code-block"):
            parts.append("<pre><code>" + "\n".join(texts) + "</code></pre>")
        elif kind.startswith("list"):
            tag = "ol" if kind == "listordered" else "ul"
            parts.append(f"<{tag}>{''.join(f'<li>{text}</li>' for text in texts)}</{tag}>")
        elif kind.startswith("header"):
            level = kind[-1] if kind[-1] in "123456" else "2"
            parts += [f"<h{level}>{text}</h{level}>" for text in texts]
        else:
            tag = "blockquote" if kind else "p"
            parts += [f"<{tag}>{text}</{tag}>" for text in texts if text.strip()]
    return "".join(parts)


def _write_piece(piece: str, marks: Node) -> str:
    escaped = html.escape(piece, quote=False)
    return f"<code>{escaped}</code>" if marks.get("code") and piece else escaped


def is_markup(text: str) -> bool:
    """Whether a string has tags, not only a word about one."""
    return len(_TAG.findall(text)) >= 2 or bool(
        re.search(
            r"</(?:p|div|li|h[1-6]|td|span|a|b|strong|em|code|mark|u|i|sup|sub|font)>|<br\s?/?>", text, re.IGNORECASE
        )
    )


def string_blocks(text: str) -> str:
    """Return a string among blocks as markup: paragraphs, Markdown, or what it is."""
    if _ESCAPED.search(text) and not is_markup(text):
        text = html.unescape(text)
    if is_markup(text) and not (_MARKDOWN.search(text) and re.search(r"^#{1,6} |^```", text, re.MULTILINE)):
        return (
            text
            if re.search(r"<(?:p|div|br|h[1-6]|ul|ol|table|section|blockquote|pre|figure)\b", text, re.IGNORECASE)
            else f"<p>{text}</p>"
        )
    if (
        _MARKDOWN.search(text)
        and text.count("\n") < MARKDOWN_LINES.value
        and sum(map(text.count, "`|*_~>[")) < MARKDOWN_MARKS.value
    ):
        return str(_PARSER.render(text))
    if "\n" in text:
        return "".join(f"<p>{string_inline(line.strip())}</p>" for line in text.split("\n") if line.strip())
    return f"<p>{string_inline(text)}</p>" if text.strip() else ""


def string_inline(text: str) -> str:
    """Return a string inside a paragraph as markup."""
    if is_markup(text):
        return text
    if _REFERENCE.search(text):
        text = html.unescape(text)
    return html.escape(text, quote=False).replace("\n", "<br>")
