"""Convert the Markdown of site builders to plain Markdown: remove templates and macros, keep the words they show.

Hugo (kubernetes.io), Yari (MDN) and mdBook (the Rust book) expand templates in Markdown before it is rendered.
Each function takes the file as text and returns Markdown that `crawlers/formats/markdown.py` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import re2

from crawlers.encodings.decode import decode
from crawlers.formats import ParsedItem, markdown
from malmoi.source import Extracted

_COMMENT_OPENS, _COMMENT_CLOSES = "<!--", "-->"
_FENCE = re2.compile(r"^ {0,12}(?:>\s?){0,3}(`{3,}|~{3,})")

# {{< name … >}}, {{% name … %}}, {{</ name >}}; https://gohugo.io/content-management/shortcodes/
_SHORTCODE = re2.compile(
    r"\{\{[<%]\s*(/?)\s*([A-Za-z0-9_-]+)((?:[^\"`>%]|\"[^\"]*\"|`[^`]*`|[>%][^}])*?)\s*/?\s*[>%]\}\}"
)
_ATTRIBUTE = re2.compile(r"([A-Za-z_-]+)\s*=\s*(?:\"([^\"]*)\"|`([^`]*)`|([^\s\"`]+))")
_SHOWN = {"glossary_tooltip": ("text", "term_id"), "link": ("text",)}  # the attribute that a reader sees
_SILENT = ("comment", "mermaid", "highlight")  # the text between them is not prose
_ANCHOR = re2.compile(r"(?m)^(#{1,6} .*?)[ \t]*\{#[^{}\n]*\}[ \t]*$")
_EMPTY_HEADING = re2.compile(r"(?m)^#{1,6}[ \t]*$")

# {{name}}, {{name("a", "b")}}; a macro that shows a name shows its second argument, or else its first.
_MACRO = re2.compile(
    r"\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*(?:\(((?:[^\"'()]|\"[^\"]*\"|'[^']*'|\([^()]*\))*)\))?\s*\}\}"
)
_ARGUMENT = re2.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s,\"']+)")
_NAMING = frozenset(
    "domxref jsxref cssxref htmlelement svgelement svgattr mathmlelement httpheader httpstatus httpmethod "
    "glossary rfc event anch csp webextapiref interface xref domevent link".split()
)
_ALERT = re2.compile(r"(?m)^(\s*>\s*)\[!(?:NOTE|WARNING|CALLOUT|TIP|IMPORTANT|CAUTION)\]\s*$")
_DEFINITION = re2.compile(r"(?m)^(\s*[-*]) :[ \t]+")

# {{#include ../listings/…}}, {{#rustdoc_include …}}, {{#playground …}}; https://rust-lang.github.io/mdBook/format/mdbook.html
_DIRECTIVE = re2.compile(r"\\?\{\{\s*#[a-z_]+[^{}\n]*\}\}")


def reader(clean: Callable[[str], str]) -> Callable[[ParsedItem], Extracted]:
    """Return the `text` of a source whose files are Markdown after `clean`."""

    def text(parsed: ParsedItem) -> Extracted:
        item = parsed.item
        body, encoding = item.body, ""
        if isinstance(body, bytes):
            decoded = decode(body, item.charset)
            body, encoding = decoded.text, decoded.encoding
        return replace(markdown.extract(replace(item, body=clean(body))), encoding=encoding)

    return text


def clean_hugo(text: str) -> str:
    """Remove the shortcodes of Hugo; keep the text of a tooltip or link, and the text between a pair.

    The text between `comment` or `mermaid` is not prose and is removed. So is a heading that was only a shortcode.

    >>> clean_hugo('{{< glossary_tooltip text="파드" term_id="pod" >}}를 본다.{{< note >}}\\n유의.\\n{{< /note >}}')
    '파드를 본다.\\n유의.\\n'
    """
    out: list[str] = []
    at, silent = 0, ""
    text = strip_comments(text)
    found = list(_SHORTCODE.finditer(text))
    closed = {match.group(2): match.start() for match in found if match.group(1)}  # where each name closes last
    for match in found:
        closes, name = bool(match.group(1)), match.group(2)
        if not silent:
            said = {
                m.group(1): m.group(2) or m.group(3) or m.group(4) or "" for m in _ATTRIBUTE.finditer(match.group(3))
            }
            shown = next((said[key] for key in _SHOWN.get(name, ()) if said.get(key)), "")
            out += (text[at : match.start()], "" if closes else shown)
            silent = name if name in _SILENT and not closes and closed.get(name, -1) > match.start() else ""
        elif closes and name == silent:
            silent = ""
        at = match.end()
    cleaned = "".join((*out, text[at:]))
    return str(_EMPTY_HEADING.sub("", _ANCHOR.sub(r"\1", cleaned)))


def clean_mdn(text: str) -> str:
    """Remove the macros of MDN; a macro that names a thing leaves the name, a block macro nothing.

    >>> clean_mdn('{{jsxref("Array.map()", "map()")}}과 {{HTMLElement("div")}} {{Compat}}')
    'map()과 `<div>` '
    """
    return _map_outside_code(strip_comments(text), _strip_macros)


def _strip_macros(text: str) -> str:
    text = text.replace("\\{{", "{\u200b{")  # an escaped brace does not begin a macro
    text = _MACRO.sub(lambda m: _expand_macro(m.group(1).lower(), m.group(2) or ""), text)
    return str(_DEFINITION.sub(r"\1 ", _ALERT.sub(r"\1", text)).replace("{\u200b{", "{{"))


def _expand_macro(name: str, arguments: str) -> str:
    if name not in _NAMING:
        return ""
    said = [m.group(1) or m.group(2) or m.group(3) or "" for m in _ARGUMENT.finditer(arguments)]
    shown = next((words for words in (*said[1:2], *said[:1]) if words), "").strip()
    if name == "rfc":
        return f"RFC {said[0]}" if said else ""
    if name.endswith("element") and shown and len(said) < 2:
        return f"`<{shown}>`" if shown.isascii() and shown.isalnum() else shown
    return shown


def clean_mdbook(text: str) -> str:
    """Remove the directives of mdBook: they include other files, which are code.

    >>> clean_mdbook("```rust\\n{{#include ../a.rs:here}}\\n```\\n본문<!-- ignore -->")
    '```rust\\n\\n```\\n본문'
    """
    return str(_DIRECTIVE.sub("", strip_comments(text)))


def strip_comments(text: str) -> str:
    """Remove HTML comments of any length; text after an opening without an end is kept. Code is left alone.

    >>> strip_comments("가<!-- 나 -->다 <!-- 라")
    '가다 <!-- 라'
    """
    out: list[str] = []
    at = start = end = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        start, end = end, end + len(line)
        mark = _FENCE.search(line) if start >= at else None
        if fence:
            fence = "" if mark and mark.group(1).startswith(fence) and not line.strip(" >`~\r\n") else fence
        elif mark:
            fence = mark.group(1)
        else:
            for opens in _openings(line, start):
                closes = text.find(_COMMENT_CLOSES, opens) if opens >= at else -1
                if closes >= 0:
                    out.append(text[at:opens])
                    at = closes + len(_COMMENT_CLOSES)
                elif opens >= at:  # no comment of this file ends after here
                    return "".join((*out, text[at:]))
    return "".join((*out, text[at:]))


def _openings(line: str, start: int) -> Iterator[int]:
    """Yield the offsets in the whole text where comments begin in a line; skip those in a code span."""
    at = line.find(_COMMENT_OPENS)
    ticks = 0
    seen = 0
    while at >= 0:
        ticks += line.count("`", seen, at)
        if ticks % 2 == 0:
            yield start + at
        seen = at
        at = line.find(_COMMENT_OPENS, at + 1)


def _map_outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to the text between fenced blocks of code."""
    out: list[str] = []
    prose: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        mark = _FENCE.search(line)
        if fence:
            out.append(line)
            if mark and mark.group(1).startswith(fence) and not line.strip(" >`~\r\n"):
                fence = ""
        elif mark:
            out.append(change("".join(prose)))
            out.append(line)
            prose, fence = [], mark.group(1)
        else:
            prose.append(line)
    return "".join((*out, change("".join(prose))))
