"""Read the nodes of rich text, whatever editor made them: their kind, content, level, code, rows and cells."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

MAX_DEPTH = 60
Node: TypeAlias = "dict[str, Any]"
MANY_FIELDS = 8  # of an object; with more it is a record
TYPES = (
    "blockName", "nodeType", "_type", "@ctype", "blockType", "block_type", "type", "kind", "tagName", "tag", "name",
)  # fmt: skip
_INNER = (
    "children", "content", "content_elements", "innerBlocks", "nodes", "rich_text", "richText", "blocks", "paragraphs",
    "components", "items", "elements", "spans", "value", "text", "plain_text", "html", "innerHTML", "body", "code",
    "codeText", "source", "latex", "t", "c", "data", "attributes", "props", "attrs", "root", "title",
)  # fmt: skip
_TEXTS = ("text", "children", "content", "body", "value", "paragraphs", "html")
HOLDERS = ("data", "attributes", "props", "attrs")
_CODE = (
    "code", "content", "value", "text", "plain_text", "source", "codeText", "children", "html", "rich_text", "data",
    "attributes",
)  # fmt: skip
_LANGUAGES = ("language", "lang", "params", "syntax", "mode")
_MARK = re.compile(r"[^a-z0-9]")
# The kinds of nodes, by their normalised names ("core/list-item" is "listitem"); the first that fits counts.
_KINDS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("skip", "image|^img|photo|picture|video|audio|iframe|gallery|slideshow"
                 "|divider|separator|delimiter|thematicbreak|^hr$|horizontalrule|advert|^ad(?:s|slot|block)?$|banner|related|interstitial|oembed|embed|bookmark"
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
        ("ordered", "(?:(?<!un)ordered|numbered|number|numeric|ol)list(?:block)?$|^ol$|^steps$"),
        ("ordereditem", "(?:(?<!un)ordered|numbered|number)listitem|^numbered$|^olitem$"),
        ("item", "listitem|^li$|todo|checkitem|taskitem|^bullet$|^ulitem$"),
        ("list", "list|^ul$|bulleted"),
        ("table", "^table|table$|tableblock|^grid$|spreadsheet"),
        ("heading", "heading|^header|^h[1-6]$|subhead|^subtitle|sectiontitle|^title$|headline"),
        ("quote", "quot"),
        ("break", "break|^br$"),
        ("math", "math|equation|formula|latex|katex"),
        ("inline", "^text$|textnode|^span$|^link$|hyperlink|^a$|^strong$|^b$|^em$|^i$"
                   "|^u$|^s$|^del$|emphasis|^bold$|italic|underline|mention|emoji|^mark$|^font$|^sup$|^sub$|^small$|strike|^textrun|footnoteref|autolink"),
        ("paragraph", "paragraph|^p$|^para|unstyled|^normal$"),
    )
)  # fmt: skip
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
ELEMENT = re.compile(r"[a-z][a-z0-9-]{0,30}")
_RECORD = re.compile(
    r"^(?:url|href|slug|link|permalink|thumb\w{0,20}|published\w{0,10}|created\w{0,10}|updated\w{0,10}|reg_?dt|regdate"
    r"|writer|views?|viewcount|hits?)$",
    re.IGNORECASE,
)
HEADERS = ("head", "header", "headers", "columns", "thead", "headings")
ROWS = ("rows", "content", "children", "body", "tbody", "data", "cells", "table", "value")
_FIELDS = ("key", "field", "accessor", "name", "id", "dataIndex", "prop")  # the field that a column shows
_ORDINALS = ("no", "step", "order", "seq", "index", "number", "idx", "stepNo", "position")
BLOCKS = frozenset({"code", "heading", "ordered", "list", "item", "ordereditem", "table", "quote", "raw"})


def is_rich(value: Any, *, named: bool = False) -> bool:
    """Whether a list or object is a text in blocks, and not a list of records such as articles.

    With `named` (its key is that of a body) blocks without a type may have titles: sections.

    >>> is_rich([{"type": "paragraph", "text": "하나"}]), is_rich([{"type": "post", "title": "하나", "url": "/1"}])
    (True, False)
    """
    if isinstance(value, list):
        entries = [entry for entry in value[:50] if entry not in (None, "", [])]
        if all(isinstance(entry, dict) and _is_record(entry, ("", "inline", "other")) for entry in entries):
            return False
        return all(_is_block(entry, named) for entry in entries)
    if not isinstance(value, dict) or _is_record(value):
        return False
    if isinstance(value.get("ops"), list):
        return True
    inner = next((value[key] for key in _INNER if isinstance(value.get(key), (list, dict)) and value[key]), None)
    typed = (
        node_kind(value) != ""
        or isinstance(value.get("type"), str)
        or set(value) <= {*_INNER, "version", "time", "entityMap"}
    )
    return typed and inner is not None and is_rich(inner, named=named)


def _is_block(entry: Any, named: bool) -> bool:
    if isinstance(entry, str):
        return True
    if isinstance(entry, list):
        return is_element(entry) or is_rich(entry, named=named)
    if not isinstance(entry, dict) or _is_record(entry):
        return False
    if node_kind(entry) or any(name in entry for name in (*TYPES[:-1], "insert")):
        return True
    if len(entry) > MANY_FIELDS or (not named and any(name in entry for name in ("title", "headline", "subject"))):
        return False
    return any(isinstance(entry.get(name), (str, list)) for name in _TEXTS)


def _is_record(entry: Node, kinds: tuple[str, ...] = ("", "inline")) -> bool:
    named = any(isinstance(entry.get(name), str) for name in ("title", "headline", "subject", "name", "label"))
    return named and any(_RECORD.match(key) for key in entry) and node_kind(entry) in kinds


def is_element(node: Any) -> bool:
    """Whether a list is a React element `["$", tag, key, props]` or an element of Nuxt Content `[tag, props, …]`."""
    if not isinstance(node, list) or len(node) < 2 or not isinstance(node[0], str):
        return False
    if node[0] == "$":
        return len(node) >= 4 and isinstance(node[1], str) and isinstance(node[3], dict)
    return isinstance(node[1], dict) and bool(ELEMENT.fullmatch(node[0]))


def is_hast(node: Node) -> bool:
    """Whether a node is an element of hast: `{"type": "element", "tagName": …, "properties": …, "children": …}`."""
    return node.get("type") == "element" and bool(node.get("tagName") or node.get("tag"))


def node_kind(node: Node) -> str:
    """Return the kind of a node, "" if its type says none."""
    for name in TYPES:
        stated = node.get(name)
        if name == "name" and not any(key in node for key in ("attributes", "innerBlocks", "innerHTML", "children")):
            continue
        if not isinstance(stated, str) or not stated or len(stated) > 60:
            continue
        if name == "_type" and stated == "block":  # Portable Text
            if item := node.get("listItem"):
                return "ordereditem" if item == "number" else "item"
            style = str(node.get("style") or "normal")
            return "heading" if re.fullmatch("h[1-6]", style) else "quote" if style == "blockquote" else "paragraph"
        if stated == "element" or (name == "type" and stated == "block" and "tag" not in node):
            continue
        kind = _kind_of_name(stated)
        return "ordered" if kind == "list" and _is_ordered(node) else kind
    return ""


@lru_cache(maxsize=2_000)
def _kind_of_name(name: str) -> str:
    """Return the kind that the name of a type says.

    >>> _kind_of_name("core/list-item"), _kind_of_name("heading_2"), _kind_of_name("doc"), _kind_of_name("가")
    ('item', 'heading', 'box', 'other')
    """
    word = _MARK.sub("", name.rpartition("/")[2].rpartition(".")[2].lower())
    if word in ("block", "root", "doc", "document", "column", "columns", "group", "section"):
        return "box"
    return next((kind for kind, pattern in _KINDS if pattern.search(word)), "other")


def _is_ordered(node: Node) -> bool:
    return any(
        box.get("ordered") is True
        or any(
            str(box.get(name, "")).lower() in ("ordered", "number", "numbered", "ol", "decimal", "ordinal")
            for name in ("style", "listType", "list_type", "format", "tag", "listStyle")
        )
        for box in boxes_of(node)
    )


def boxes_of(node: Node, *more: str) -> list[Node]:
    """Return a node and the objects in it that hold its fields."""
    return [node, *(node[name] for name in (*HOLDERS, *more) if isinstance(node.get(name), dict))]


def first_list(node: Node, names: tuple[str, ...]) -> list[Any] | None:
    """Return the first field of these names that holds a list."""
    return next((node[name] for name in names if isinstance(node.get(name), list)), None)


def first_text(node: Node, names: tuple[str, ...]) -> str:
    """Return the first field of these names that holds a string, "" without one."""
    return next((node[name] for name in names if isinstance(node.get(name), str)), "")


def inner_of(node: Node, without: tuple[str, ...] = (), *, cell: bool = False) -> Any:
    """Return the value that holds the content of a node; None without one."""
    kind = node.get("type")
    if isinstance(kind, str) and isinstance(node.get(kind), dict):  # Notion: {"type": "quote", "quote": {…}}
        inner = inner_of(node[kind])
        if inner is not None:
            return inner
    for key in _INNER:
        value = node.get(key)
        if key in without or value in (None, "", [], {}) or isinstance(value, bool):
            continue
        if isinstance(value, dict) and key in HOLDERS:
            value = inner_of(value)
            if value is None:
                continue
        if isinstance(value, (str, list, dict)) or (cell and isinstance(value, (int, float))):
            return value
    return None


def heading_level(node: Node) -> int:
    """Return the level of a heading, 2 if it states none."""
    for box in boxes_of(node):
        for name in ("level", "depth", "size", *TYPES, "style"):
            level = box.get(name)
            if isinstance(level, int) and not isinstance(level, bool) and 1 <= level <= 6:
                return level
            if isinstance(level, str):
                if digit := re.search("[1-6]$", level):
                    return int(digit.group())
                word = re.split("[^a-z]", level.lower())[-1]
                if word in _NUMBERS:
                    return _NUMBERS[word]
    return 2


def code_language(node: Node) -> str:
    """Return the language that a code block names, or ""."""
    for box in boxes_of(node, "code"):
        for name in _LANGUAGES:
            if isinstance(language := box.get(name), str) and re.fullmatch(r"[\w+#.-]{1,20}", language):
                return language
    return ""


def code_lines(node: Any, depth: int) -> list[str]:
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
            kind = node_kind(entry) if isinstance(entry, dict) else ""
            if kind == "break":
                lines.append("")
                continue
            inner = code_lines(entry, depth + 1)
            if kind in ("codeline", "paragraph", "code") and lines != [""]:
                lines += inner
            else:
                lines[-1:] = [lines[-1] + inner[0], *inner[1:]] if inner else lines[-1:]
        return lines
    if not isinstance(node, dict):
        return []
    name = node.get("type")
    if isinstance(name, str) and isinstance(node.get(name), dict):
        return code_lines(node[name], depth + 1)
    content = next((node[key] for key in _CODE if isinstance(node.get(key), (str, list, dict)) and node[key]), None)
    return [] if content is None else code_lines(content, depth + 1)


def is_code(node: Node) -> bool:
    """Whether a text is marked as code inside a sentence."""
    marks, notes, style = node.get("marks"), node.get("annotations"), node.get("format")
    return (
        node.get("code") is True
        or (
            isinstance(marks, list)
            and any(m == "code" or (isinstance(m, dict) and m.get("type") == "code") for m in marks)
        )
        or (isinstance(notes, dict) and notes.get("code") is True)
        or (isinstance(style, int) and style is not True and bool(style & 16) and isinstance(node.get("text"), str))
    )


def list_of_fields(nodes: list[Any]) -> str:
    """Return "ol" for numbered objects without types (steps), "ul" for objects of few short values; else ""."""
    if len(nodes) < 2 or not all(isinstance(node, dict) and not node_kind(node) for node in nodes):
        return ""
    if any(all(isinstance(node.get(name), int) for node in nodes) for name in _ORDINALS):
        return "ol"
    texts = [[value for value in node.values() if isinstance(value, str)] for node in nodes]
    plain = all(len(node) <= 4 and not any(isinstance(v, (list, dict)) for v in node.values()) for node in nodes)
    return "ul" if plain and all(sum(map(len, values)) < 80 for values in texts) else ""


def is_inline(node: Any) -> bool:
    """Whether a node is a part of a paragraph."""
    if not isinstance(node, dict):
        return isinstance(node, (str, int)) or (is_element(node) and node[0] in ("a", "strong", "em", "code"))
    kind = node_kind(node)
    return kind in ("inline", "break", "inlinecode", "math") or (
        kind == "" and isinstance(node.get("text"), str) and len(node) < 8
    )


def rows_of(value: Any, depth: int) -> Iterator[Any]:
    """Yield the rows of a table; heads and bodies around them are opened."""
    if not isinstance(value, list) or depth > 3:
        return
    for row in value:
        if isinstance(row, dict) and node_kind(row) == "part":
            yield from rows_of(inner_of(row), depth + 1)
        elif isinstance(row, (list, dict)):
            yield row


def cells_of(row: Any) -> list[Any] | None:
    """Return the cells of a row; None if it is an object with a field for each column."""
    if not isinstance(row, dict):
        return row if isinstance(row, list) else None
    names = ("cells", "children", "content", "columns", "value", "items", "tds")
    return next((cells for box in boxes_of(row, "table_row") if (cells := first_list(box, names)) is not None), None)


def column_of(column: Any) -> tuple[str, Any]:
    """Return the field that a column shows, and its heading."""
    if not isinstance(column, dict):
        return str(column), column
    label = next((column[key] for key in ("label", "title", "header", "text", "name") if column.get(key)), column)
    return str(next((value for key, value in column.items() if key in _FIELDS), "")), label


def is_header(cell: Node) -> bool:
    """Whether a cell is a heading of its row or column."""
    return (
        node_kind(cell) == "header"
        or cell.get("header") is True
        or cell.get("isHeader") is True
        or cell.get("headerState") not in (None, 0)
    )


def spans_of(cell: Node) -> str:
    """Return the attributes of a merged cell."""
    spans = {
        key.lower(): value
        for box in boxes_of(cell)
        for key, value in box.items()
        if key.lower() in ("rowspan", "colspan") and isinstance(value, int) and 1 < value < 1000
    }
    return "".join(f' {name}="{value}"' for name, value in spans.items())
