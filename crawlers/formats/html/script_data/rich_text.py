"""Turn the body of an article, as data of a page carry it, into markup: one way to extract text for all of them.

A body is a string (markup, escaped markup, Markdown, plain lines), a list of blocks, or the document of an editor
(ProseMirror, Draft, Editor.js, Slate, Lexical, Portable Text, Quill, Gutenberg, Notion, SmartEditor, mdast, hast, React
elements). They differ in names only: a node has a type, text or children, and perhaps a level. So no editor has a
reader of its own: the type is recognised by its name, and the content by the keys that hold content.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from crawlers.formats.html.script_data.rich_nodes import (
    BLOCKS,
    ELEMENT,
    HOLDERS,
    MAX_DEPTH,
    Node,
    code_language,
    code_lines,
    group_of,
    heading_level,
    inner_of,
    is_code,
    is_element,
    is_inline,
    list_of_fields,
    node_kind,
)
from crawlers.formats.html.script_data.rich_strings import string_blocks, string_inline
from crawlers.formats.html.script_data.rich_tables import HEADERS, ROWS, cells_of, field_of, label_of, rows_of, spans_of

MAX_NODES = 100_000  # of one body
MAX_MARKUP = 4_000_000  # code points
_HEADS = ("heading", "subtitle", "subheading", "title", "header", "question", "소제목")
_VOID = frozenset({"br", "hr", "img", "wbr", "input", "source", "col"})
_DROPPED = frozenset(
    {"script", "style", "nav", "aside", "footer", "button", "svg", "form", "iframe", "img", "figcaption"}
)


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
                return self._delta(value["ops"])
            return self._block(value, depth)
        return ""

    def _blocks(self, nodes: list[Any], depth: int) -> str:
        if tag := list_of_fields(nodes):
            return f"<{tag}>{''.join(self._item(node, depth + 1) for node in nodes)}</{tag}>"
        parts: list[str] = []
        for kind, group in groupby(nodes, group_of):
            members = list(group)
            if kind == "items":
                parts.append(self._items(members, depth))
            elif kind == "code":
                parts += self._codes(members)
            else:
                parts += [self.body(node, depth + 1) for node in members]
        return "".join(parts)

    def _block(self, node: Node, depth: int) -> str:
        kind = node_kind(node)
        writers: dict[str, Callable[[], str]] = {
            "skip": lambda: "",
            "break": lambda: "",
            "raw": lambda: _string_of(node),
            "code": lambda: "".join(self._codes([node])),
            "heading": lambda: self._heading(node, depth),
            "ordered": lambda: self._list(node, "ol", depth),
            "list": lambda: self._list(node, "ul", depth),
            "item": lambda: self._items([node], depth),
            "ordereditem": lambda: self._items([node], depth),
            "quote": lambda: f"<blockquote>{self._content(node, depth)}</blockquote>",
            "table": lambda: self._table(node, depth),
            "paragraph": lambda: self._paragraph(node, depth),
            "inline": lambda: self._paragraph(node, depth),
            "math": lambda: f"<p>{self._inline(node, depth)}</p>",
        }
        if node.get("type") == "element" and (tag := node.get("tagName") or node.get("tag")):
            return self._tag(str(tag), node.get("properties") or node.get("props") or {}, node.get("children"), depth)
        return writers[kind]() if kind in writers else self._content(node, depth)

    def _content(self, node: Node, depth: int) -> str:
        """Return the markup of an unknown node: its heading, and what it holds."""
        heads = (*_HEADS, "name", "label") if any(isinstance(value, list) for value in node.values()) else _HEADS
        head = next((node[name] for name in heads if isinstance(node.get(name), str) and node[name].strip()), "")
        inner = inner_of(node, without=("title",) if head else ())
        title = f"<h2>{string_inline(head)}</h2>" if head and inner is not None else ""
        if inner is None:
            words = _join_fields(node)
            return f"<p>{words}</p>" if words else ""
        if inner is node.get("items") and isinstance(inner, list) and all(isinstance(one, str) for one in inner):
            return title + self._list({"items": inner}, "ul", depth)
        if isinstance(inner, list) and inner and not is_element(inner) and all(map(is_inline, inner)):
            return title + self._paragraph(node, depth)
        return title + self.body(inner, depth + 1)

    def _paragraph(self, node: Node, depth: int) -> str:
        inner = inner_of(node)
        if isinstance(inner, str):
            return string_blocks(inner)
        if isinstance(inner, list) and any(
            isinstance(one, dict) and node_kind(one) in (*BLOCKS, "paragraph") for one in inner
        ):
            return self._blocks(inner, depth + 1)
        words = self._inline(inner, depth + 1)
        return f"<p>{words}</p>" if words else ""

    def _heading(self, node: Node, depth: int) -> str:
        level = heading_level(node)
        inner = inner_of(node)
        words = self._inline(inner, depth + 1).strip()
        return f"<h{level}>{words}</h{level}>" if words else ""

    def _list(self, node: Node, tag: str, depth: int) -> str:
        inner = next(
            (node[key] for key in ("items", "children", "content", "listItems") if isinstance(node.get(key), list)),
            None,
        )
        inner = inner_of(node) if inner is None else inner
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
        if isinstance(entry, dict) and node_kind(entry) in (
            "list",
            "ordered",
        ):  # Lexical and Slate: a list beside its items
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
        head = next((entry[name] for name in ("title", "name", "term") if isinstance(entry.get(name), str)), "")
        if head and inner != head:
            words = f"{string_inline(head)}: {words}" if words else string_inline(head)
        more = next((entry[key] for key in ("items", "children", "subItems") if isinstance(entry.get(key), list)), None)
        if more is not None and more is not inner and more:
            words += self._list(
                {"items": more, **{k: entry[k] for k in ("style", "ordered") if k in entry}}, "ul", depth + 1
            )
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

    def _items(self, nodes: list[Node], depth: int) -> str:
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

    def _codes(self, nodes: list[Any]) -> Iterator[str]:
        """Yield code blocks; of single lines that follow each other (Draft) one block is made."""
        texts = [(code_language(node), "\n".join(code_lines(node, 0)).strip("\n")) for node in nodes]
        if len(texts) > 1 and all("\n" not in text for _, text in texts):
            texts = [(texts[0][0], "\n".join(text for _, text in texts))]
        for language, text in texts:
            if text:
                name = f' class="language-{html.escape(language)}"' if language else ""
                yield f"<pre><code{name}>{html.escape(text, quote=False)}</code></pre>"

    def _table(self, node: Node, depth: int) -> str:
        boxes = [node, *(node[name] for name in (*HOLDERS, "table") if isinstance(node.get(name), dict))]
        header: list[Any] = []
        rows: list[Any] = []
        said = ""
        for box in boxes:
            said = said or next((box[k] for k in ("caption", "title") if isinstance(box.get(k), str)), "")
            header = header or next((box[key] for key in HEADERS if isinstance(box.get(key), list)), [])
            if isinstance(markup := box.get("html") or box.get("innerHTML"), str) and "<t" in markup:
                return markup
            rows = rows or next(
                (box[key] for key in ROWS if isinstance(box.get(key), list) and box[key] is not header), []
            )
        if header and isinstance(header[0], (list, dict)) and cells_of(header[0]) is not None:
            rows, header = [*header, *rows], []
        keys = [field_of(column) for column in header]
        lines = [self._row([label_of(one) for one in header], depth, head=True)] if header else []
        flat = list(rows_of(rows, 0))
        if not header and flat and isinstance(flat[0], dict) and cells_of(flat[0]) is None:
            keys = list(flat[0])
            lines = [self._row(list(keys), depth, head=True)]
        with_head = not lines and any(
            box.get(name) is True
            for box in boxes
            for name in ("withHeadings", "hasHeader", "hasHeaderRow", "has_column_header", "headerRow")
        )
        for row in flat:
            cells = cells_of(row)
            if cells is None and isinstance(row, dict):
                cells = [row.get(key, "") for key in keys]
            lines.append(self._row(cells or [], depth, head=with_head and not lines))
        return (f"<p>{string_inline(said)}</p>" if said else "") + f"<table>{''.join(lines)}</table>"

    def _row(self, cells: list[Any], depth: int, *, head: bool) -> str:
        parts: list[str] = []
        for cell in cells:
            kind = node_kind(cell) if isinstance(cell, dict) else ""
            header = (
                head
                or kind == "header"
                or (
                    isinstance(cell, dict)
                    and (
                        cell.get("header") is True
                        or cell.get("isHeader") is True
                        or cell.get("headerState") not in (None, 0)
                    )
                )
            )
            inner = inner_of(cell, cell=True) if isinstance(cell, dict) else cell
            words = (
                self._render_mixed(inner, depth + 2)
                if isinstance(inner, list) and not is_element(inner)
                else self._inline(inner, depth + 2)
            )
            tag = "th" if header else "td"
            parts.append(f"<{tag}{spans_of(cell)}>{words}</{tag}>")
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
        if node.get("type") == "element" and (tag := node.get("tagName") or node.get("tag")):
            return self._tag(str(tag), node.get("properties") or node.get("props") or {}, node.get("children"), depth)
        if kind in ("code", "inlinecode") or is_code(node):
            return f"<code>{html.escape(' '.join(code_lines(node, 0)), quote=False)}</code>"
        inner = inner_of(node)
        if kind == "math":
            return (
                f"${html.escape(inner.strip(' $'), quote=False)}$"
                if isinstance(inner, str)
                else self._inline(inner, depth + 1)
            )
        words = self._inline(inner, depth + 1)
        tail = "\n" if kind in ("paragraph", "heading", "item", "ordereditem") and words else ""
        return words + tail

    def _element(self, node: list[Any], depth: int) -> str:
        """Return a React or Nuxt Content element as markup."""
        if node[0] == "$":
            inner = node[3].get("dangerouslySetInnerHTML")
            if isinstance(inner, dict) and isinstance(inner.get("__html"), str):
                return self._tag(node[1], node[3], inner["__html"], depth, raw=True)
            children = node[3].get("children")
            if children is None:
                children = next(
                    (node[3][key] for key in ("html", "content", "text") if isinstance(node[3].get(key), str)), None
                )
            return self._tag(node[1], node[3], children, depth)
        return self._tag(node[0], node[1], node[2:], depth)

    def _tag(self, tag: str, props: Node, inner: Any, depth: int, *, raw: bool = False) -> str:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH or tag in _DROPPED:
            return ""
        self._codes_open += tag == "pre"
        words = inner if raw else self._children(inner, depth + 1)
        self._codes_open -= tag == "pre"
        if not ELEMENT.fullmatch(tag) or "-" in tag:  # a component
            return str(words)
        if tag in _VOID:
            return f"<{tag}>"
        names = "".join(
            f' {said}="{html.escape(str(value))}"'
            for key, said in (
                ("className", "class"),
                ("class", "class"),
                ("id", "id"),
                ("href", "href"),
                ("rowSpan", "rowspan"),
                ("colSpan", "colspan"),
            )
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

    def _delta(self, ops: list[Any]) -> str:
        """Return a Quill delta as markup: the attributes of a line end are those of its block."""
        lines: list[tuple[Node, str]] = []
        line = ""
        for op in ops:
            text = op.get("insert") if isinstance(op, dict) else None
            marks = op.get("attributes") or {} if isinstance(op, dict) else {}
            if not isinstance(text, str):
                continue
            pieces = text.split("\n")
            for number, piece in enumerate(pieces):
                escaped = html.escape(piece, quote=False)
                line += f"<code>{escaped}</code>" if marks.get("code") and piece else escaped
                if number < len(pieces) - 1:
                    lines.append((marks if piece or text == "\n" or set(text) == {"\n"} else {}, line))
                    line = ""
        lines.append(({}, line))
        return "".join(_delta_blocks(lines))


def _join_fields(node: Node) -> str:
    """Return the words of an object without a field of content: its strings but addresses and names of files."""
    words = [value for value in node.values() if isinstance(value, str) and not _ADDRESS.search(value)]
    return string_inline(" ".join(words)) if any(map(_KOREAN.search, words)) else ""


_ADDRESS = re.compile(r"^(?:https?:|/|[\w./-]{1,200}\.(?:jpe?g|png|gif|webp|svg|mp4|pdf)$)")
_KOREAN = re.compile("[가-힣]")


def _delta_blocks(lines: list[tuple[Node, str]]) -> Iterator[str]:
    def block(line: tuple[Node, str]) -> str:
        marks = line[0]
        return next(
            (
                str(name) + str(marks[name])
                for name in ("code-block", "list", "header", "blockquote")
                if marks.get(name)
            ),
            "",
        )

    for kind, group in groupby(lines, block):
        members = list(group)
        texts = [text for _, text in members]
        if kind.startswith("code-block"):
            yield f"<pre><code>{chr(10).join(texts)}</code></pre>"
        elif kind.startswith("list"):
            tag = "ol" if kind == "listordered" else "ul"
            yield f"<{tag}>{''.join(f'<li>{text}</li>' for text in texts)}</{tag}>"
        elif kind.startswith("header"):
            level = kind[-1] if kind[-1] in "123456" else "2"
            yield "".join(f"<h{level}>{text}</h{level}>" for text in texts)
        else:
            tag = "blockquote" if kind else "p"
            yield "".join(f"<{tag}>{text}</{tag}>" for text in texts if text.strip())


def _string_of(node: Node) -> str:
    inner = inner_of(node)
    return inner if isinstance(inner, str) else ""
