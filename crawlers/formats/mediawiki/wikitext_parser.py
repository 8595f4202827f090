"""Single-pass parser of MediaWiki inline markup: templates, links, tables, tags, comments.

The parser keeps a stack of open elements and never backtracks, so its cost grows with the text and not
with nesting; beyond MAX_DEPTH, brackets are plain characters. Unicode noncharacters mark what
later steps need: a removed template (GAP), the border of two cells.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawlers.formats.mediawiki.wikitext_tables import table
from crawlers.formats.mediawiki.wikitext_templates import text_of

MAX_DEPTH = 40  # nested brackets; MediaWiki expands templates to a depth of 40
GAP = "\ufdd3"  # marks the position of removed markup
_HELD, _END = "\ufdd0", "\ufdd1"  # around the number of a verbatim stretch
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Elements whose content is not wiki text, and their replacements:
_VERBATIM = ("nowiki", "pre", "syntaxhighlight", "source")
_FORMULA = ("math", "chem", "ce")
_GONE = (
    "ref", "references", "gallery", "timeline", "score", "imagemap", "templatedata", "graph", "hiero", "mapframe",
    "maplink", "inputbox", "categorytree", "indicator", "templatestyles", "includeonly", "pages", "pagelist", "section",
    "style", "script", "rp", "videoflash", "dynamicpagelist", "quiz",
)  # fmt: skip
_ELEMENT = re.compile(rf"<({'|'.join((*_VERBATIM, *_FORMULA, *_GONE))})(?=[\s/>])([^<>]{{0,2000}})>", re.IGNORECASE)
_TOKEN = re.compile(r"\{\{+|\}\}+|\[\[|\]\]|^[ \t:*#]{0,20}\{\||^[ \t]{0,20}\|\}(?!\})|\||\n\n", re.MULTILINE)
_NAMED = re.compile(r"\s{0,100}([^=|{}\[\]<>\n]{1,60}?)\s{0,100}=")
_PLACEHOLDER = re.compile(f"{_HELD}(\\d{{1,9}}){_END}")

# Link prefixes that are not text: files, categories, and interlanguage links.
_HIDDEN_SPACES = frozenset(("파일", "그림", "file", "image", "분류", "category", "미디어", "media", "틀", "template"))
_LANGUAGE = re.compile(r"[a-z]{2,3}|simple|[a-z]{2,3}-[a-z]{2,10}(?:-[a-z]{2,10})?")
_NO_LANGUAGE = frozenset(("mw", "doi", "wmf", "bug"))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text without brackets; verbatim stretches are held separately, so that they are not parsed."""

    text: str
    held: tuple[str, ...]

    def restore(self, text: str) -> str:
        """Return `text`, which was derived from this one, with the verbatim stretches put back."""
        return _PLACEHOLDER.sub(lambda found: self.held[int(found[1])], text)


def render(text: str) -> Rendered:
    """Return the text without its inline markup; lines, headings and lists are unchanged.

    >>> render("[[서울특별시|서울]]의 {{llang|en|Seoul}}<ref>가</ref>은 '''수도'''").text
    "서울의 영어: Seoul은 '''수도'''"
    """
    text = _NONCHARACTERS.sub("", text.replace("\r\n", "\n"))
    held: list[str] = []
    plain = _take_out_elements(_COMMENT.sub("", text) if "<!--" in text else text, held)
    return Rendered(_Walk(plain).run(), tuple(held))


def _take_out_elements(text: str, held: list[str]) -> str:
    """Replace verbatim stretches and formulas by placeholders (content in `held`), and remove elements without text."""
    out: list[str] = []
    at = 0
    unclosed: set[str] = set()  # names without a further end tag
    while (found := _ELEMENT.search(text, at)) is not None:
        name = found[1].lower()
        out.append(text[at : found.start()])
        at = found.end()
        if found[2].endswith("/"):
            continue
        end = None if name in unclosed else _end_of(name).search(text, at)
        if end is None:
            unclosed.add(name)
            continue
        inside, at = text[found.end() : end.start()], end.end()
        if name in _GONE:
            continue
        if name in _FORMULA:
            inside = f"${' '.join(inside.split())}$" if inside.strip() else ""
        elif name in ("nowiki", "pre"):
            inside = html.unescape(inside)
        place = f"{_HELD}{len(held)}{_END}"
        out.append(f"\n{place}\n" if "\n" in inside.strip() else place)
        held.append(inside.strip("\n"))
    out.append(text[at:])
    return "".join(out)


_ENDS: dict[str, re.Pattern[str]] = {}


def _end_of(name: str) -> re.Pattern[str]:
    if name not in _ENDS:
        _ENDS[name] = re.compile(rf"</{name}\s{{0,20}}>", re.IGNORECASE)
    return _ENDS[name]


class _Frame:
    """An open element: its kind, its opening token, and its parts so far, each a list of pieces."""

    __slots__ = ("kind", "opener", "parts")

    def __init__(self, kind: str, opener: str) -> None:
        self.kind = kind
        self.opener = opener
        self.parts: list[list[str]] = [[]]

    def literal(self) -> Iterator[str]:
        """Yield the source text of an element that is never closed."""
        yield self.opener
        for number, part in enumerate(self.parts):
            if number:
                yield "|"
            yield from part


class _Walk:
    """The parser of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack = [_Frame("root", "")]

    def run(self) -> str:
        """Return the text without its brackets."""
        at = 0
        for token in _TOKEN.finditer(self.text):
            if token.start() > at:
                self.say(self.text[at : token.start()])
            at = token.end()
            self.take(token[0])
        self.say(self.text[at:])
        while len(self.stack) > 1:
            self.give_up()
        return "".join(self.stack[0].parts[0])

    def say(self, piece: str) -> None:
        self.stack[-1].parts[-1].append(piece)

    def take(self, token: str) -> None:
        top = self.stack[-1]
        if token == "|":
            if top.kind in ("template", "parameter", "link"):
                top.parts.append([])
            else:
                self.say(token)
        elif token == "\n\n":
            while self.stack[-1].kind == "link" and not _is_file(self.stack[-1]):  # a link ends with its paragraph
                self.give_up()
            self.say(token)
        elif token == "[[":
            self.open("link", token)
        elif token == "]]":
            self.close_link()
        elif token.startswith("{{"):
            self.open_braces(token)
        elif token.startswith("}}"):
            self.close_braces(len(token))
        elif token.endswith("{|"):
            self.open("table", token)
        else:
            self.close_table()

    def open(self, kind: str, opener: str) -> None:
        if len(self.stack) > MAX_DEPTH:
            self.say(opener)
        else:
            self.stack.append(_Frame(kind, opener))

    def open_braces(self, token: str) -> None:
        count = len(token)
        if count > 6:  # seven are not markup
            self.say(token)
            return
        if count % 2:
            self.open("parameter", "{{{")
            count -= 3
        for _ in range(count // 2):
            self.open("template", "{{")

    def close_braces(self, count: int) -> None:
        while count >= 2:
            while self.stack[-1].kind == "link" and any(f.kind in ("template", "parameter") for f in self.stack):
                self.give_up()
            top = self.stack[-1]
            if top.kind == "parameter" and count >= 3:
                self.stack.pop()
                self.say("".join(top.parts[1]) if len(top.parts) > 1 else "")
                count -= 3
            elif top.kind in ("template", "parameter"):
                self.stack.pop()
                self.say(_template(top))
                count -= 2
            else:
                self.say("}" * count if top.kind != "table" else "")
                return
        self.say("}" * count)

    def close_link(self) -> None:
        if self.stack[-1].kind == "link":
            self.say(_link(self.stack.pop()))
        else:
            self.say("]]")

    def close_table(self) -> None:
        if not any(frame.kind == "table" for frame in self.stack):
            return
        while self.stack[-1].kind != "table":
            self.give_up()
        frame = self.stack.pop()
        self.say(table("".join(frame.parts[0])))

    def give_up(self) -> None:
        frame = self.stack.pop()
        if frame.kind == "table":  # unclosed; its rows are still rows
            self.say(table("".join(frame.parts[0])))
        else:
            self.stack[-1].parts[-1].extend(frame.literal())


def _template(frame: _Frame) -> str:
    first, *rest = ("".join(part) for part in frame.parts)
    given: dict[str, str] = {}
    number = 0
    for part in rest:
        named = _NAMED.match(part)
        if named:
            given[named[1].strip()] = part[named.end() :].strip()
        else:
            number += 1
            given[str(number)] = part
    words = text_of(first.strip(), given)
    return GAP if words is None or not words.strip(GAP) else words


def _is_file(frame: _Frame) -> bool:
    return _space("".join(frame.parts[0][:1])[:100])[0] in _HIDDEN_SPACES


def _space(target: str) -> tuple[str, str]:
    before, colon, behind = target.partition(":")
    return (before.strip().lower(), behind) if colon else ("", target)


def _link(frame: _Frame) -> str:
    target = "".join(frame.parts[0]).strip()
    label = "".join(frame.parts[-1]) if len(frame.parts) > 1 else ""
    shown = target.startswith(":")
    space, behind = _space(target.removeprefix(":"))
    if not shown and space in _HIDDEN_SPACES:
        return ""
    if not shown and _LANGUAGE.fullmatch(space) and space not in _NO_LANGUAGE:
        return ""
    if label.strip():
        return label
    if len(frame.parts) > 1:  # [[위키백과:정책|]]: the pipe trick, if the wiki did not expand it on saving
        return behind.partition("(")[0].strip() or target
    if target.startswith(("http:", "https:")):
        return ""
    return target.removeprefix(":").strip("/")
