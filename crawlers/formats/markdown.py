"""Text extraction from Markdown and MDX: remove emphasis, links, tags and module lines; keep words and code marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from crawlers.encodings.decode import Decoded, decode
from crawlers.formats import front_matter
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.text import normalise_lines
from malmoi.limits import MARKDOWN_LINES, MARKDOWN_MARKS, MARKDOWN_TAG_STEPS
from malmoi.source import Extracted, Item

_DATES = ("date", "published", "created")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FENCE = re.compile(r" {0,12}(?:>\s?){0,3}(`{3,}|~{3,})")
_MODULE = re.compile(
    r"(?:import\s+(?:[{*\"']|[\w$]+(?:\s*,|\s+from\s+[\"']))|export\s+(?:default|const|let|var|function|class|async|\{|\*))"
)
_TICKS = re.compile(r"`+")
MAX_SPAN = 4_000  # code points of a code span or a comment
_COMMENTS = (("{/*", "*/}"), ("<!--", "-->"))
_BLANK = re.compile(r"\{\s*(?:'\s*'|\"\s*\"|`\s*`)\s*\}")  # {' '}: a space in JSX
_NAME = re.compile(r"</?(?:[A-Za-z][\w.-]*(?=[\s/>{])|(?=>))")
MAX_TAG = 2_000  # code points from "<" to ">"; longer is not a tag
MARGIN = 200  # code points of white space beside a tag that is alone on its line
MARKS = "[`|*_~>"  # characters at which the library rescans the text
# Tags are removed before parsing, so raw HTML blocks would only hide the words inside them.
# A line such as "[TODO]: <> (…)" is a comment: the definition of an unused link.
_NOTE = re.compile(r"^ {0,3}\[[^\[\]\n]{1,80}\]: *<> *\([^\n]{0,2000}\) *$", re.MULTILINE)
# The standard refuses a link target that contains white space or brackets; authors mean it as a link.
_LINK = re.compile(r"!?\[([^\[\]\n]{1,300})\]\((?:#|\.{0,2}/|https?://|www\.)[^()\n]{0,500}\)")
_COMPONENT = re.compile(r"^[ \t]{0,12}<[A-Z]", re.MULTILINE)
_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["html_block", "html_inline"])
# MDX has no indented code: indented text is the content of a tag.
_MDX_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["html_block", "html_inline", "code"])


def extract(item: Item) -> Extracted:
    """Extract the prose of a Markdown or MDX file; title and date from its front matter or first heading.

    Headings, paragraphs, tables ("| … |") and code are blocks separated by an empty line, list
    items lines beginning with "- " or a number. Code keeps its fences and backticks, which distinguish
    it from prose. Dropped as `empty` or `undecodable`.
    """
    decoded = decode(item.body, item.charset) if isinstance(item.body, bytes) else Decoded(item.body, "", 0)
    front, body = split_front(normalise_lines(decoded.text))
    prose, heading = render(body)
    reason = "undecodable" if decoded.is_undecodable else "" if prose else "empty"
    dates = (iso_date(str(front[key])) for key in _DATES if front.get(key) is not None)
    return Extracted(
        text="" if reason else prose,
        title=item.title or _text(front.get("title")) or heading,
        date=item.date or next(filter(None, dates), ""),
        author=item.author or _text(front.get("author") or front.get("authors")),
        format="markdown",
        encoding=decoded.encoding,
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def split_front(text: str) -> tuple[Mapping[str, Any], str]:
    """Return the fields of the YAML front matter and the rest of the text; ({}, text) without readable front matter.

    >>> split_front("---\\ntitle: 낱말\\n---\\n본문")
    ({'title': '낱말'}, '본문')
    """
    match = _FRONT.match(text)
    if not match:
        return {}, text
    return front_matter.fields(match.group(1) or ""), text[match.end() :]


def render(text: str) -> tuple[str, str]:
    """Return the prose of a Markdown text without front matter, and its first heading.

    >>> render("# 낱말 {/*words*/}\\n<Note>\\n**굵은** [글](a.md)\\n</Note>")
    ('낱말\\n\\n굵은 글', '낱말')
    """
    blocks: list[str] = []
    heading = ""
    parser = _MDX_PARSER if _COMPONENT.search(text) else _PARSER
    bare = "\n".join(_remove_tags(text))
    if bare.count("\n") > MARKDOWN_LINES.value or any(bare.count(mark) > MARKDOWN_MARKS.value for mark in MARKS):
        return bare.strip(), ""  # the library takes up to 30 µs for each: longer texts stay unparsed
    tokens = parser.parse(bare)
    for kind, block in _blocks(tokens):
        if kind == "heading" and not heading:
            heading = block.replace("`", "")
        joined = kind == "item" and blocks and blocks[-1].endswith("\0")
        if joined:
            blocks[-1] = f"{blocks[-1][:-1]}\n{block}\0"
        else:
            blocks.append(block + "\0" if kind == "item" else block)
    return "\n\n".join(block.rstrip("\0") for block in blocks).strip(), heading


def _blocks(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """Yield each block as (kind, text): heading, text, item, code, table."""
    markers: list[str] = []  # one per open list
    fresh = ""  # marker of an item without text so far
    row: list[str] = []
    table: list[str] = []
    for at, token in enumerate(tokens):
        kind = token.type
        if kind in ("bullet_list_open", "ordered_list_open"):
            markers.append("- " if kind.startswith("bullet") else "")
        elif kind in ("bullet_list_close", "ordered_list_close"):
            markers.pop()
        elif kind == "list_item_open":
            fresh = markers[-1] or f"{token.info}. "
        elif kind in ("fence", "code_block"):
            if code := token.content.strip("\n"):
                fence = token.markup or "```"
                yield "code", f"{fence}{token.info.split(' ')[0].strip()}\n{code}\n{fence}"
        elif kind == "tr_close":
            table.append("| " + " | ".join(row) + " |")
            row = []
        elif kind == "table_close":
            yield "table", "\n".join(table)
            table = []
        elif kind == "inline":
            words = _inline(token)
            opened = tokens[at - 1].type
            if opened in ("th_open", "td_open"):
                row.append(" ".join(words.split()))
            elif not words:
                continue
            elif opened == "heading_open":
                yield "heading", words
            elif markers:
                indent = "  " * (len(markers) - 1)
                yield "item", f"{indent}{fresh or '  '}{words}"
                fresh = ""
            else:
                yield "text", words


def _inline(token: Token) -> str:
    parts: list[str] = []
    for child in token.children or ():
        if child.type == "text":
            parts.append(_LINK.sub(r"\1", child.content))
        elif child.type == "code_inline":
            parts.append(f"{child.markup}{child.content}{child.markup}")
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
    return "\n".join(line.strip() for line in "".join(parts).split("\n")).strip()


def _remove_tags(text: str) -> Iterator[str]:
    """Yield the lines without module statements, comments and tags; code is left unchanged."""
    left = [MARKDOWN_TAG_STEPS.value]
    prose: list[str] = []
    fence = ""
    module = False  # inside an import or export, which ends at the next empty line
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            yield line
            if mark and mark.group(1).startswith(fence) and not line.strip(" >`~"):
                fence = ""
        elif mark:
            yield from _strip("\n".join(prose), left).split("\n") if prose else ()
            prose = []
            fence = mark.group(1)
            # A tag around a fence may have left it indented; the fence must still open a code block.
            yield line
        elif module or _MODULE.match(line):
            module = bool(line.strip())
            prose.append("")
        else:
            prose.append(line)
    if prose:
        yield from _strip("\n".join(prose), left).split("\n")


def _strip(text: str, left: list[int]) -> str:
    """Remove comments and tags from prose; keep code spans and the text between tags."""
    for opening, closing in _COMMENTS:
        text = _remove_comments(text, opening, closing)
    text = _NOTE.sub("", _BLANK.sub(" ", text))
    out: list[str] = []
    at = 0
    for start, end in _code_spans(text):
        out += (_drop_tags(text[at:start], left), text[start:end])
        at = end
    out.append(_drop_tags(text[at:], left))
    return "".join(out)


def _remove_comments(text: str, opening: str, closing: str) -> str:
    out: list[str] = []
    at = end = 0
    while (start := text.find(opening, at)) >= 0:
        if end < start + len(opening):  # else the closing mark found before is still the next one
            end = text.find(closing, start + len(opening))
        if end < 0:
            break
        if end - start - len(opening) > MAX_SPAN:
            out.append(text[at : start + len(opening)])
            at = start + len(opening)
        else:
            out.append(text[at:start])
            at = end + len(closing)
    return "".join((*out, text[at:]))


def _code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each code span: from a run of backticks to the next run of the same length."""
    runs = [match.span() for match in _TICKS.finditer(text)]
    following: dict[int, int] = {}  # length of a run → the next run of that length
    closing = [0] * len(runs)
    for place in range(len(runs) - 1, -1, -1):
        start, end = runs[place]
        closing[place] = following.get(end - start, 0)
        following[end - start] = place
    place = 0
    while place < len(runs):
        start, end = runs[place]
        last = closing[place]
        if last and runs[last][0] - end <= MAX_SPAN:
            yield start, runs[last][1]
            place = last
        place += 1


def _drop_tags(text: str, left: list[int]) -> str:
    """Remove tags; `left` is the remaining budget of code points to scan for tag ends."""
    out: list[str] = []
    at = 0
    for match in _NAME.finditer(text):
        if match.start() < at:
            continue
        if left[0] <= 0:
            break
        end = _find_tag_end(text, match.end())
        left[0] -= (end or min(len(text), match.end() + MAX_TAG)) - match.end()
        if end:
            first, last = max(0, match.start() - MARGIN), min(len(text), end + MARGIN)
            before, after = text[first : match.start()].rpartition("\n"), text[end:last].partition("\n")
            opens, closes = bool(before[1]) or not first, bool(after[1]) or last == len(text)
            alone = opens and closes and not before[2].strip() and not after[0].strip()
            # A line that held only a tag becomes an empty line, so that it still ends a block.
            out += (text[at : match.start()], "\n" if alone else "")
            at = end
    return "".join((*out, text[at:]))


def _find_tag_end(text: str, at: int) -> int:
    """Return the end of the tag that began before `at`, respecting quotes and braces; 0 if it does not end."""
    depth = 0
    quote = ""
    for place in range(at, min(len(text), at + MAX_TAG)):
        char = text[place]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'`":
            quote = char
        elif char in "{}":
            depth += 1 if char == "{" else -1
        elif char == ">" and depth <= 0:
            return place + 1
        elif char == "<" and depth <= 0:
            return 0
    return 0


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(text for entry in value[:10] if (text := _text(entry)))
    if isinstance(value, dict):
        return _text(value.get("name"))
    return " ".join(str(value).split()) if isinstance(value, (str, int, float)) else ""
