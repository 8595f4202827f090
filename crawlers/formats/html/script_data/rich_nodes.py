"""Read the nodes of rich text, whatever editor made them: their kind, their content, their level, their code."""

from __future__ import annotations

import html
import re
from typing import Any, TypeAlias

MAX_DEPTH = 60
Node: TypeAlias = "dict[str, Any]"
MANY_FIELDS = 8  # of an object; with more it is a record
TYPES = (
    "blockName",
    "nodeType",
    "_type",
    "@ctype",
    "blockType",
    "block_type",
    "type",
    "kind",
    "tagName",
    "tag",
    "name",
)
_INNER = (
    "children", "content", "content_elements", "innerBlocks", "nodes", "rich_text", "richText", "blocks", "paragraphs",
    "components", "items", "elements", "spans", "value", "text", "plain_text", "html", "innerHTML", "body", "code",
    "codeText", "source", "latex", "t", "c", "data", "attributes", "props", "attrs", "root", "title",
)  # fmt: skip
_TEXTS = ("text", "children", "content", "body", "value", "paragraphs", "html")
HOLDERS = ("data", "attributes", "props", "attrs")
_CODE = (
    "code",
    "content",
    "value",
    "text",
    "plain_text",
    "source",
    "codeText",
    "children",
    "html",
    "rich_text",
    "data",
    "attributes",
)
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


def node_kind(node: Node) -> str:
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
    if kind == "list" and is_ordered(node):
        return "ordered"
    return kind


def _portable_kind(node: Node) -> str:
    style = str(node.get("style") or "normal")
    if node.get("listItem"):
        return "ordereditem" if node["listItem"] == "number" else "item"
    return "heading" if re.fullmatch("h[1-6]", style) else "quote" if style == "blockquote" else "paragraph"


def is_ordered(node: Node) -> bool:
    """Whether a list is numbered."""
    for box in (node, *(node[name] for name in HOLDERS if isinstance(node.get(name), dict))):
        if box.get("ordered") is True:
            return True
        for name in ("style", "listType", "list_type", "format", "tag", "listStyle"):
            if str(box.get(name, "")).lower() in ("ordered", "number", "numbered", "ol", "decimal", "ordinal"):
                return True
    return False


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
    for box in (node, *(node[name] for name in HOLDERS if isinstance(node.get(name), dict))):
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


def code_language(node: Node) -> str:
    """Return the language that a code block names, or ""."""
    for box in (node, *(node[name] for name in (*HOLDERS, "code") if isinstance(node.get(name), dict))):
        for name in _LANGUAGES:
            if isinstance(said := box.get(name), str) and re.fullmatch(r"[\w+#.-]{1,20}", said):
                return said
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
    said = node.get("type")
    if isinstance(said, str) and isinstance(node.get(said), dict):
        return code_lines(node[said], depth + 1)
    held = next((node[key] for key in _CODE if isinstance(node.get(key), (str, list, dict)) and node[key]), None)
    return [] if held is None else code_lines(held, depth + 1)


def is_code(node: Node) -> bool:
    """Whether a text is marked as code inside a sentence."""
    if node.get("code") is True:
        return True
    marks = node.get("marks")
    if isinstance(marks, list) and any(
        mark == "code" or (isinstance(mark, dict) and mark.get("type") == "code") for mark in marks
    ):
        return True
    notes = node.get("annotations")
    if isinstance(notes, dict) and notes.get("code") is True:
        return True
    said = node.get("format")
    return (
        isinstance(said, int) and not isinstance(said, bool) and bool(said & 16) and isinstance(node.get("text"), str)
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


def group_of(node: Any) -> str:
    """Return the group of blocks that are one block together: list items, lines of code; "" for others."""
    kind = node_kind(node) if isinstance(node, dict) else ""
    return "items" if kind in ("item", "ordereditem") else "code" if kind == "code" else ""


def is_inline(node: Any) -> bool:
    """Whether a node is a part of a paragraph."""
    if not isinstance(node, dict):
        return isinstance(node, (str, int)) or (is_element(node) and node[0] in ("a", "strong", "em", "code"))
    kind = node_kind(node)
    return kind in ("inline", "break", "inlinecode", "math") or (
        kind == "" and isinstance(node.get("text"), str) and len(node) < 8
    )
