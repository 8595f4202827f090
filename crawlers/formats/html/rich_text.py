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
from typing import Any, TypeAlias

from markdown_it import MarkdownIt

from malmoi.limits import MARKDOWN_LINES, MARKDOWN_MARKS

MAX_NODES = 100_000  # of one body
MAX_DEPTH = 60
MAX_MARKUP = 4_000_000  # code points
Node: TypeAlias = "dict[str, Any]"

TYPES = ("blockName", "nodeType", "_type", "@ctype", "blockType", "block_type", "type", "kind", "tagName", "tag", "name")
_INNER = (
    "children", "content", "content_elements", "innerBlocks", "nodes", "rich_text", "richText", "blocks", "paragraphs",
    "components", "items", "elements", "spans", "value", "text", "plain_text", "html", "innerHTML", "body", "code",
    "codeText", "source", "latex", "t", "c", "data", "attributes", "props", "attrs", "root", "title",
)  # fmt: skip
_TEXTS = ("text", "children", "content", "body", "value", "paragraphs", "html")
MANY_FIELDS = 8  # of an object; with more it is a record
_HOLDERS = ("data", "attributes", "props", "attrs")
_CODE = ("code", "content", "value", "text", "source", "codeText", "children", "html", "rich_text", "data", "attributes")
_LANGUAGES = ("language", "lang", "params", "syntax", "mode")
_HEADS = ("heading", "subtitle", "subheading", "title", "header", "question", "소제목")
_ROWS = ("rows", "content", "children", "body", "tbody", "data", "cells", "table", "value")
_HEADERS = ("head", "header", "headers", "columns", "thead", "headings")
_FIELDS = re.compile(r"^(?:key|field|accessor|name|id|dataIndex|prop)$")
_MARK = re.compile(r"[^a-z0-9]")
# The kinds of nodes, by their normalised names ("core/list-item" is "listitem"); the first that fits counts.
_KINDS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("skip", "image|^img|photo|picture|video|audio|iframe|gallery|slideshow|divider|separator|delimiter|thematicbreak"
                 "|^hr$|horizontalrule|advert|^ad(?:s|slot|block)?$|banner|related|interstitial|oembed|embed|bookmark"
                 "|linkcard|linkpreview|cardlink|opengraph|^oglink|^file|attachment|button|^share|caption|credit|byline"
                 "|newsletter|promo|^map$|sticker|^script$|^style$|^nav$|^aside$|^footer$|^svg$|^form$|^atomic$|reporter"
                 "|copyright|^meta|^toc$|tableofcontents|poll$|subscribe|tags$|recommend"),
        ("raw", "rawhtml|htmlblock|^html$|freeform|customhtml"),
        ("inlinecode", "inlinecode|codespan|codeinline"),
        ("codeline", "codeline"),
        ("code", "code|^pre$|preformatted|^fence$|terminal|snippet"),
        ("header", "tableheader|headercell|^th$"),
        ("row", "tablerow|^row$|^tr$"),
        ("cell", "tablecell|^cell$|^td$"),
        ("part", "tablehead|tablebody|^thead$|^tbody$|^tfoot$|tablesection"),
        ("ordered", "(?:ordered|numbered|number|numeric|ol)list(?:block)?$|^ol$|^steps$"),
        ("ordereditem", "(?:ordered|numbered|number)listitem|^numbered$|^olitem$"),
        ("item", "listitem|^li$|todo|checkitem|taskitem|^bullet$|^ulitem$"),
        ("list", "list|^ul$|bulleted"),
        ("table", "^table|table$|tableblock|^grid$|spreadsheet"),
        ("heading", "heading|^header|^h[1-6]$|subhead|^subtitle|sectiontitle|^title$|headline"),
        ("quote", "quot"),
        ("break", "break|^br$"),
        ("math", "math|equation|formula|latex|katex"),
        ("inline", "^text$|textnode|^span$|^link$|hyperlink|^a$|^strong$|^b$|^em$|^i$|^u$|^s$|^del$|emphasis|^bold$|italic"
                   "|underline|mention|emoji|^mark$|^font$|^sup$|^sub$|^small$|strike|^textrun|footnoteref|autolink"),
        ("paragraph", "paragraph|^p$|^para|unstyled|^normal$"),
    )
)  # fmt: skip
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_TAG = re.compile(
    r"</(?:p|div|span|a|b|i|u|em|strong|font|li|ul|ol|td|tr|table|h[1-6]|center|blockquote|code|pre|mark|section|figure"
    r"|sup|sub)\s?>|<br\s?/?>|<(?:p|div|br|img|h[1-6]|li|figure|hr|table|ul|ol)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"&lt;/(?:p|div|span|li|h[1-6]|strong|a|td)&gt;|&lt;br\s?/?&gt;", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_MARKDOWN = re.compile(
    r"^#{1,6} \S|^ {0,3}```|^ {0,3}~~~|^\|.{0,2000}\|\s{0,3}$|\*\*[^*\n]{1,200}\*\*|!?\[[^\]\n]{0,200}\]\([^)\s]{1,500}\)"
    r"|^ {0,3}(?:[-*+] \S.{0,2000}\n {0,9}[-*+] \S|1\. \S.{0,2000}\n\s?(?:\n)?2\. \S)|^> \S|`[^`\n]{1,200}`",
    re.MULTILINE,
)
_LINE_BREAK = re.compile(r"\n(?=[^\n|#>`\-*\d+ ])")
_PARSER = MarkdownIt("commonmark", {"breaks": True}).enable(["table", "strikethrough"])
_ELEMENT = re.compile(r"[a-z][a-z0-9-]{0,30}")
_VOID = frozenset({"br", "hr", "img", "wbr", "input", "source", "col"})
_DROPPED = frozenset({"script", "style", "nav", "aside", "footer", "button", "svg", "form", "iframe", "img", "figcaption"})
_RECORD = re.compile(
    r"^(?:url|href|slug|link|permalink|thumb\w{0,20}|published\w{0,10}|created\w{0,10}|updated\w{0,10}|reg_?dt|regdate"
    r"|writer|views?|viewcount|hits?)$",
    re.IGNORECASE,
)


def to_markup(value: Any) -> str:
    r"""Return a body as markup; "" if it holds no text.

    >>> to_markup("하나\n\n둘 < 셋")
    '<p>하나</p><p>둘 &lt; 셋</p>'
    >>> to_markup({"blocks": [{"type": "header", "data": {"level": 3, "text": "하나"}}, {"type": "list", "items": ["둘"]}]})
    '<h3>하나</h3><ul><li>둘</li></ul>'
    """
    writer = _Writer()
    try:
        return writer.body(value, 0)[:MAX_MARKUP]
    except RecursionError:
        return ""


def is_rich(value: Any, *, named: bool = False) -> bool:
    """Whether a list or object is a text in blocks, and not a list of records such as articles.

    With `named` (its key is that of a body) blocks without a type may have titles: sections.

    >>> is_rich([{"type": "paragraph", "text": "하나"}]), is_rich([{"type": "post", "title": "하나", "url": "/1"}])
    (True, False)
    """
    if isinstance(value, list):
        entries = [entry for entry in value[:50] if entry not in (None, "", [])]
        return bool(entries) and all(_is_block(entry, named) for entry in entries)
    if not isinstance(value, dict) or _is_record(value):
        return False
    if isinstance(value.get("ops"), list):
        return True
    inner = next((value[key] for key in _INNER if isinstance(value.get(key), (list, dict)) and value[key]), None)
    typed = _kind(value) != "" or isinstance(value.get("type"), str) or set(value) <= {*_INNER, "version", "time", "entityMap"}
    return typed and inner is not None and is_rich(inner, named=named)


def _is_block(entry: Any, named: bool) -> bool:
    if isinstance(entry, str):
        return True
    if isinstance(entry, list):
        return is_element(entry) or is_rich(entry, named=named)
    if not isinstance(entry, dict) or _is_record(entry):
        return False
    if _kind(entry) or any(name in entry for name in (*TYPES[:-1], "insert")):
        return True
    if len(entry) > MANY_FIELDS or (not named and any(name in entry for name in ("title", "headline", "subject"))):
        return False
    return any(isinstance(entry.get(name), (str, list)) for name in _TEXTS)


def _is_record(entry: Node) -> bool:
    named = any(isinstance(entry.get(name), str) for name in ("title", "headline", "subject", "name", "label"))
    return named and any(_RECORD.match(key) for key in entry) and _kind(entry) in ("", "inline")


def is_element(node: Any) -> bool:
    """Whether a list is a React element `["$", tag, key, props]` or an element of Nuxt Content `[tag, props, …]`."""
    if not isinstance(node, list) or len(node) < 2 or not isinstance(node[0], str):
        return False
    if node[0] == "$":
        return len(node) >= 4 and isinstance(node[1], str) and isinstance(node[3], dict)
    return isinstance(node[1], dict) and bool(_ELEMENT.fullmatch(node[0]))


def _kind(node: Node) -> str:
    """Return the kind of a node, "" if its type says none."""
    for name in TYPES:
        said = node.get(name)
        if name == "name" and not any(key in node for key in ("attributes", "innerBlocks", "innerHTML", "children")):
            continue
        if not isinstance(said, str) or not said or len(said) > 60:
            continue
        if name == "_type" and said == "block":
            return _portable_kind(node)
        if said == "element" or (name == "type" and said == "block" and "tag" not in node):
            continue
        return kind_of(said, node)
    return ""


def kind_of(said: str, node: Node) -> str:
    """Return the kind that a name of a type says."""
    name = _MARK.sub("", said.rpartition("/")[2].rpartition(".")[2].lower())
    if name in ("block", "root", "doc", "document", "column", "columns", "group", "section"):
        return "box"
    kind = next((kind for kind, pattern in _KINDS if pattern.search(name)), "other")
    if kind == "list" and _is_ordered(node):
        return "ordered"
    return kind


def _portable_kind(node: Node) -> str:
    style = str(node.get("style") or "normal")
    if node.get("listItem"):
        return "ordereditem" if node["listItem"] == "number" else "item"
    return "heading" if re.fullmatch("h[1-6]", style) else "quote" if style == "blockquote" else "paragraph"


def _is_ordered(node: Node) -> bool:
    for box in (node, *(node[name] for name in _HOLDERS if isinstance(node.get(name), dict))):
        if box.get("ordered") is True:
            return True
        for name in ("style", "listType", "list_type", "format", "tag", "listStyle"):
            if str(box.get(name, "")).lower() in ("ordered", "number", "numbered", "ol", "decimal", "ordinal"):
                return True
    return False


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
            return _string_blocks(value)
        if isinstance(value, list):
            return self._element(value, depth) if is_element(value) else self._blocks(value, depth)
        if isinstance(value, dict):
            if isinstance(value.get("ops"), list):
                return self._delta(value["ops"])
            return self._block(value, depth)
        return ""

    def _blocks(self, nodes: list[Any], depth: int) -> str:
        if tag := _list_of_fields(nodes):
            return f"<{tag}>{''.join(self._item(node, depth + 1) for node in nodes)}</{tag}>"
        parts = []
        for kind, group in groupby(nodes, _group_of):
            members = list(group)
            if kind == "items":
                parts.append(self._items(members, depth))
            elif kind == "code":
                parts += self._codes(members)
            else:
                parts += [self.body(node, depth + 1) for node in members]
        return "".join(parts)

    def _block(self, node: Node, depth: int) -> str:
        kind = _kind(node)
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
        inner = _inner_of(node, without=("title",) if head else ())
        title = f"<h2>{_string_inline(head)}</h2>" if head and inner is not None else ""
        if inner is None:
            words = _join_fields(node)
            return f"<p>{words}</p>" if words else ""
        if isinstance(inner, list) and inner and not is_element(inner) and all(map(_is_inline, inner)):
            return title + self._paragraph(node, depth)
        return title + self.body(inner, depth + 1)

    def _paragraph(self, node: Node, depth: int) -> str:
        inner = _inner_of(node)
        if isinstance(inner, str):
            return _string_blocks(inner)
        if isinstance(inner, list) and any(isinstance(one, dict) and _kind(one) in _BLOCK_KINDS for one in inner):
            return self._blocks(inner, depth + 1)
        words = self._inline(inner, depth + 1)
        return f"<p>{words}</p>" if words else ""

    def _heading(self, node: Node, depth: int) -> str:
        level = _level(node)
        inner = _inner_of(node)
        words = self._inline(inner, depth + 1)
        return f"<h{level}>{words}</h{level}>" if words else ""

    def _list(self, node: Node, tag: str, depth: int) -> str:
        inner = next((node[key] for key in ("items", "children", "content", "listItems") if isinstance(node.get(key), list)), None)
        inner = _inner_of(node) if inner is None else inner
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
        if isinstance(entry, dict) and _kind(entry) in ("list", "ordered"):  # Lexical and Slate: a list beside its items
            return f"<li>{self._block(entry, depth)}</li>"
        if isinstance(entry, list) and not is_element(entry):
            return f"<li>{self._mixed(entry, depth)}</li>"
        if not isinstance(entry, dict):
            words = self._inline(entry, depth)
            return f"<li>{words}</li>" if words else ""
        inner = _inner_of(entry, without=("items",) if "content" in entry or "text" in entry else ())
        if inner is None:
            words = _join_fields(entry)
            return f"<li>{words}</li>" if words else ""
        words = self._mixed(inner, depth) if isinstance(inner, list) else self._inline(inner, depth)
        head = next((entry[name] for name in ("title", "name", "term") if isinstance(entry.get(name), str)), "")
        if head and inner != head:
            words = f"{_string_inline(head)}: {words}" if words else _string_inline(head)
        more = next((entry[key] for key in ("items", "children", "subItems") if isinstance(entry.get(key), list)), None)
        if more is not None and more is not inner and more:
            words += self._list({"items": more, **{k: entry[k] for k in ("style", "ordered") if k in entry}}, "ul", depth + 1)
        return f"<li>{words}</li>" if words else ""

    def _mixed(self, nodes: list[Any], depth: int) -> str:
        """Return inline nodes, and blocks among them, of a list item or a cell."""
        parts = []
        for node in nodes:
            kind = _kind(node) if isinstance(node, dict) else ""
            if kind == "paragraph":
                words = self._inline(_inner_of(node), depth + 1)
                parts.append(f"<br>{words}" if parts and words else words)
            elif kind in _BLOCK_KINDS or kind == "box":
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
            tag = "ol" if _kind(node) == "ordereditem" else "ul"
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
        texts = [(_language(node), "\n".join(_code_lines(node, 0)).strip("\n")) for node in nodes]
        if len(texts) > 1 and all("\n" not in text for _, text in texts):
            texts = [(texts[0][0], "\n".join(text for _, text in texts))]
        for language, text in texts:
            if text:
                name = f' class="language-{html.escape(language)}"' if language else ""
                yield f"<pre><code{name}>{html.escape(text, quote=False)}</code></pre>"

    def _table(self, node: Node, depth: int) -> str:
        boxes = [node, *(node[name] for name in (*_HOLDERS, "table") if isinstance(node.get(name), dict))]
        header: list[Any] = []
        rows: list[Any] = []
        said = ""
        for box in boxes:
            said = said or next((box[k] for k in ("caption", "title") if isinstance(box.get(k), str)), "")
            header = header or next((box[key] for key in _HEADERS if isinstance(box.get(key), list)), [])
            if isinstance(markup := box.get("html") or box.get("innerHTML"), str) and "<t" in markup:
                return markup
            rows = rows or next((box[key] for key in _ROWS if isinstance(box.get(key), list) and box[key] is not header), [])
        if header and isinstance(header[0], (list, dict)) and _cells_of(header[0]) is not None:
            rows, header = [*header, *rows], []
        keys = [_field(column) for column in header]
        lines = [self._row([_label(one) for one in header], depth, head=True)] if header else []
        flat = list(_rows_of(rows, 0))
        if not header and flat and isinstance(flat[0], dict) and _cells_of(flat[0]) is None:
            keys = list(flat[0])
            lines = [self._row(list(keys), depth, head=True)]
        with_head = not lines and any(
            box.get(name) is True for box in boxes for name in ("withHeadings", "hasHeader", "hasHeaderRow", "has_column_header", "headerRow")
        )
        for row in flat:
            cells = _cells_of(row)
            if cells is None and isinstance(row, dict):
                cells = [row.get(key, "") for key in keys]
            lines.append(self._row(cells or [], depth, head=with_head and not lines))
        return (f"<p>{_string_inline(said)}</p>" if said else "") + f"<table>{''.join(lines)}</table>"

    def _row(self, cells: list[Any], depth: int, *, head: bool) -> str:
        parts = []
        for cell in cells:
            kind = _kind(cell) if isinstance(cell, dict) else ""
            header = head or kind == "header" or (isinstance(cell, dict) and (cell.get("header") is True or cell.get("isHeader") is True or cell.get("headerState") not in (None, 0)))
            inner = _inner_of(cell, cell=True) if isinstance(cell, dict) else cell
            words = self._mixed(inner, depth + 2) if isinstance(inner, list) and not is_element(inner) else self._inline(inner, depth + 2)
            tag = "th" if header else "td"
            parts.append(f"<{tag}{_spans(cell)}>{words}</{tag}>")
        return f"<tr>{''.join(parts)}</tr>"

    def _inline(self, node: Any, depth: int) -> str:
        """Return the words of a node inside a paragraph."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH or node is None or isinstance(node, bool):
            return ""
        if isinstance(node, str):
            return _string_inline(node)
        if isinstance(node, (int, float)):
            return f"{node:g}"
        if isinstance(node, list):
            if is_element(node):
                return self._element(node, depth)
            return "".join(self._inline(entry, depth + 1) for entry in node)
        if not isinstance(node, dict):
            return ""
        kind = _kind(node)
        if kind == "skip":
            return ""
        if kind == "break":
            return "<br>"
        if node.get("type") == "element" and (tag := node.get("tagName") or node.get("tag")):
            return self._tag(str(tag), node.get("properties") or node.get("props") or {}, node.get("children"), depth)
        if kind in ("code", "inlinecode") or _is_code(node):
            return f"<code>{html.escape(' '.join(_code_lines(node, 0)), quote=False)}</code>"
        inner = _inner_of(node)
        if kind == "math":
            return f"${html.escape(inner.strip(' $'), quote=False)}$" if isinstance(inner, str) else self._inline(inner, depth + 1)
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
                children = next((node[3][key] for key in ("html", "content", "text") if isinstance(node[3].get(key), str)), None)
            return self._tag(node[1], node[3], children, depth)
        return self._tag(node[0], node[1], node[2:], depth)

    def _tag(self, tag: str, props: Node, inner: Any, depth: int, *, raw: bool = False) -> str:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH or tag in _DROPPED:
            return ""
        self._codes_open += tag == "pre"
        words = inner if raw else self._children(inner, depth + 1)
        self._codes_open -= tag == "pre"
        if not _ELEMENT.fullmatch(tag) or "-" in tag:  # a component
            return str(words)
        if tag in _VOID:
            return f"<{tag}>"
        names = "".join(
            f' {said}="{html.escape(str(value))}"'
            for key, said in (("className", "class"), ("class", "class"), ("id", "id"), ("href", "href"), ("rowSpan", "rowspan"), ("colSpan", "colspan"))
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


def _list_of_fields(nodes: list[Any]) -> str:
    """Return "ol" for numbered objects without types (steps), "ul" for objects of few short values; else ""."""
    if len(nodes) < 2 or not all(isinstance(node, dict) and not _kind(node) for node in nodes):
        return ""
    if any(all(isinstance(node.get(name), int) for node in nodes) for name in _ORDINALS):
        return "ol"
    texts = [[value for value in node.values() if isinstance(value, str)] for node in nodes]
    plain = all(len(node) <= 4 and not any(isinstance(v, (list, dict)) for v in node.values()) for node in nodes)
    return "ul" if plain and all(sum(map(len, values)) < 80 for values in texts) else ""


def _join_fields(node: Node) -> str:
    """Return the words of an object without a field of content: its short values, without addresses and names of files."""
    words = [value for value in node.values() if isinstance(value, str) and not _ADDRESS.search(value)]
    return _string_inline(" ".join(words)) if any(map(_KOREAN.search, words)) else ""


_ORDINALS = ("no", "step", "order", "seq", "index", "number", "idx", "stepNo", "position")
_ADDRESS = re.compile(r"^(?:https?:|/|[\w./-]{1,200}\.(?:jpe?g|png|gif|webp|svg|mp4|pdf)$)")
_KOREAN = re.compile("[가-힣]")
_BLOCK_KINDS = frozenset({"code", "heading", "ordered", "list", "item", "ordereditem", "table", "quote", "raw"})


def _delta_blocks(lines: list[tuple[Node, str]]) -> Iterator[str]:
    def block(line: tuple[Node, str]) -> str:
        marks = line[0]
        return next((str(name) + str(marks[name]) for name in ("code-block", "list", "header", "blockquote") if marks.get(name)), "")

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


def _group_of(node: Any) -> str:
    kind = _kind(node) if isinstance(node, dict) else ""
    return "items" if kind in ("item", "ordereditem") else "code" if kind == "code" else ""


def _is_inline(node: Any) -> bool:
    if not isinstance(node, dict):
        return isinstance(node, (str, int)) or (is_element(node) and node[0] in ("a", "strong", "em", "code"))
    kind = _kind(node)
    return kind in ("inline", "break", "inlinecode", "math") or (kind == "" and isinstance(node.get("text"), str) and len(node) < 8)


def _inner_of(node: Node, without: tuple[str, ...] = (), *, cell: bool = False) -> Any:
    """Return the value that holds the content of a node; None without one."""
    kind = node.get("type")
    if isinstance(kind, str) and isinstance(node.get(kind), dict):  # Notion: {"type": "quote", "quote": {…}}
        inner = _inner_of(node[kind])
        if inner is not None:
            return inner
    for key in _INNER:
        value = node.get(key)
        if key in without or value in (None, "", [], {}) or isinstance(value, bool):
            continue
        if isinstance(value, dict) and key in _HOLDERS:
            value = _inner_of(value)
            if value is None:
                continue
        if isinstance(value, (str, list, dict)) or (cell and isinstance(value, (int, float))):
            return value
    return None


def _level(node: Node) -> int:
    """Return the level of a heading, 2 if it states none."""
    for box in (node, *(node[name] for name in _HOLDERS if isinstance(node.get(name), dict))):
        for name in ("level", "depth", "size", *TYPES, "style"):
            said = box.get(name)
            if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= 6:
                return said
            if isinstance(said, str):
                if digit := re.search("[1-6]$", said):
                    return int(digit.group())
                word = re.split("[^a-z]", said.lower())[-1]
                if word in _NUMBERS:
                    return _NUMBERS[word]
    return 2


def _language(node: Node) -> str:
    for box in (node, *(node[name] for name in (*_HOLDERS, "code") if isinstance(node.get(name), dict))):
        for name in _LANGUAGES:
            if isinstance(said := box.get(name), str) and re.fullmatch(r"[\w+#.-]{1,20}", said):
                return said
    return ""


def _code_lines(node: Any, depth: int) -> list[str]:
    """Return the lines of a code block; its children are lines, or parts of a line."""
    if depth > MAX_DEPTH:
        return []
    if isinstance(node, str):
        text = node
        if re.search(r"</(?:span|code|pre)>|<br", text):
            text = html.unescape(re.sub(r"<[^<>]{1,500}>", "", re.sub(r"<br\s?/?>", "\n", text)))
        elif re.search(r"&(?:lt|gt|amp|quot);", text) and "<" not in text:
            text = html.unescape(text)
        return text.split("\n")
    if isinstance(node, list):
        lines: list[str] = [""]
        for entry in node:
            kind = _kind(entry) if isinstance(entry, dict) else ""
            if kind == "break":
                lines.append("")
                continue
            inner = _code_lines(entry, depth + 1)
            if kind in ("codeline", "paragraph", "code") and lines != [""]:
                lines += inner
            else:
                lines[-1:] = [lines[-1] + inner[0], *inner[1:]] if inner else lines[-1:]
        return lines
    if not isinstance(node, dict):
        return []
    kind = node.get("type")
    if isinstance(kind, str) and isinstance(node.get(kind), dict):
        return _code_lines(node[kind], depth + 1)
    inner = next((node[key] for key in _CODE if isinstance(node.get(key), (str, list, dict)) and node[key]), None)
    return [] if inner is None else _code_lines(inner, depth + 1)


def _is_code(node: Node) -> bool:
    if node.get("code") is True:
        return True
    marks = node.get("marks")
    if isinstance(marks, list) and any(mark == "code" or (isinstance(mark, dict) and mark.get("type") == "code") for mark in marks):
        return True
    notes = node.get("annotations")
    if isinstance(notes, dict) and notes.get("code") is True:
        return True
    said = node.get("format")
    return isinstance(said, int) and not isinstance(said, bool) and bool(said & 16) and isinstance(node.get("text"), str)


def _rows_of(value: Any, depth: int) -> Iterator[Any]:
    """Yield the rows of a table; heads and bodies around them are opened."""
    if not isinstance(value, list) or depth > 3:
        return
    for row in value:
        if isinstance(row, dict) and _kind(row) == "part":
            yield from _rows_of(_inner_of(row), depth + 1)
        elif isinstance(row, (list, dict)):
            yield row


def _cells_of(row: Any) -> list[Any] | None:
    if isinstance(row, list):
        return row
    if not isinstance(row, dict):
        return None
    for box in (row, *(row[name] for name in (*_HOLDERS, "table_row") if isinstance(row.get(name), dict))):
        for key in ("cells", "children", "content", "columns", "value", "items", "tds"):
            if isinstance(box.get(key), list):
                return list(box[key])
    return None


def _field(column: Any) -> str:
    if isinstance(column, dict):
        return str(next((value for key, value in column.items() if _FIELDS.match(key)), ""))
    return str(column)


def _label(column: Any) -> Any:
    if isinstance(column, dict):
        return next((column[key] for key in ("label", "title", "header", "text", "name") if column.get(key)), column)
    return column


def _spans(cell: Any) -> str:
    if not isinstance(cell, dict):
        return ""
    found = {}
    for box in (cell, *(cell[name] for name in _HOLDERS if isinstance(cell.get(name), dict))):
        for key, value in box.items():
            folded = key.lower()
            if folded in ("rowspan", "colspan") and isinstance(value, int) and 1 < value < 1000:
                found[folded] = value
    return "".join(f' {name}="{value}"' for name, value in found.items())


def _string_of(node: Node) -> str:
    inner = _inner_of(node)
    return inner if isinstance(inner, str) else ""


def is_markup(text: str) -> bool:
    """Whether a string has tags, not only a word about one."""
    return len(_TAG.findall(text)) >= 2 or bool(re.search(r"</(?:p|div|li|h[1-6]|td|span|a|b|strong|em|code|mark|u|i|sup|sub|font)>|<br\s?/?>", text, re.IGNORECASE))


def _string_blocks(text: str) -> str:
    """Return a string among blocks as markup: paragraphs, Markdown, or what it is."""
    if _ESCAPED.search(text) and not is_markup(text):
        text = html.unescape(text)
    if is_markup(text) and not (_MARKDOWN.search(text) and re.search(r"^#{1,6} |^```", text, re.MULTILINE)):
        return text if re.search(r"<(?:p|div|br|h[1-6]|ul|ol|table|section|blockquote|pre|figure)\b", text, re.IGNORECASE) else f"<p>{text}</p>"
    if _MARKDOWN.search(text) and text.count("\n") < MARKDOWN_LINES.value and sum(map(text.count, "`|*_~>[")) < MARKDOWN_MARKS.value:
        return str(_PARSER.render(text))
    if "\n" in text:
        return "".join(f"<p>{_string_inline(line.strip())}</p>" for line in text.split("\n") if line.strip())
    return f"<p>{_string_inline(text)}</p>" if text.strip() else ""


def _string_inline(text: str) -> str:
    if is_markup(text):
        return text
    if _REFERENCE.search(text):
        text = html.unescape(text)
    return html.escape(text, quote=False).replace("\n", "<br>")
