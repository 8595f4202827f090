"""Text extraction from MediaWiki markup: prose, headings and lists, without layout markup.

Removed: templates except those that carry words (crawlers/formats/mediawiki/wikitext_parser.py), infoboxes,
references, files, categories, interlanguage links, galleries, comments, and the sections
that list other pages (각주, 같이 보기, 외부 링크, 참고 문헌). Kept: the label of a link with the letters joined
to it, tables as rows, formulas as $…$, code unchanged. Templates are not expanded: a page that consists
of them has no text here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawlers.encodings.decode import decode
from crawlers.formats.mediawiki.wikitext_parser import CELL, DISAMBIGUATION, GAP, render
from malmoi.source import Extracted, Item

# Titles of sections that list other pages: they hold only names and addresses. White space is ignored.
LISTS = frozenset(
    "같이보기 같이읽기 같이보면좋은글 함께보기 각주 각주및참고문헌 주석 주해 미주 출처 인용출처 외부링크 바깥고리 "
    "외부고리 참고문헌 참고자료 참고문헌및각주 참고 참조 참고링크 관련항목 관련문서 관련링크 더읽을거리 "
    "더읽어보기 더보기 읽을거리 갤러리 사진 사진첩 둘러보기 저작권 라이선스 seealso references externallinks "
    "notes footnotes furtherreading bibliography gallery license "
    "자매프로젝트 원문링크 관련뉴스 관련기사 관련보도".split()
)
_HEADING = re.compile(r"(={1,6})(.{1,500}?)\1[ \t]{0,100}")
_MARKS = re.compile(r"([*#:;]{1,30})[ \t]{0,20}")
_QUOTES = re.compile(r"'{2,}")
_EXTERNAL = re.compile(
    r"\[(?:https?:|ftp:|mailto:|//)[^\s\[\]]{1,2000}(?:[ \t]{1,20}([^\[\]\n]{0,1000}))?\]", re.IGNORECASE
)
_SWITCH = re.compile(r"__[A-Z가-힣]{2,40}__")
_BREAK = re.compile(
    r"<br\b[^<>]{0,200}>|</?(?:p|div|blockquote|center|li|tr|hr|ul|ol|dl|dd|dt|table|poem|h[1-6])\b[^<>]{0,2000}>", re.I
)
_READING = re.compile(r"<(/?)rt\b[^<>]{0,200}>", re.IGNORECASE)
_TAGS = re.compile(
    r"</?(?:span|small|big|b|i|u|s|em|strong|sub|sup|font|tt|code|kbd|samp|var|cite|del|ins|strike|abbr|bdi|bdo|ruby|rb|rp|q|"
    r"mark|nowiki|noinclude|onlyinclude|includeonly|ref|references|td|th|tbody|caption|section|time|data|dfn|wbr|nobr|gallery|"
    r"pre|source|syntaxhighlight|math|a|img|translate|tvar|languages|onlyinclude)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\xa0\u3000]{1,}")
# Brackets around nothing but removed markup; a pair of brackets that the author left empty is kept.
_BRACKETS = (
    (re.compile(rf"[ \t]?[(（](?=[^()（）]{{0,40}}{GAP})[\s,;·:/{GAP}]{{1,40}}[)）]"), ""),
    (re.compile(rf"([(（])(?:{GAP}[\s,;·:/]{{0,8}}){{1,8}}"), r"\1"),
    (re.compile(rf"(?:[\s,;·:/]{{0,8}}{GAP}){{1,8}}[ \t]{{0,8}}([)）])"), r"\1"),
    (re.compile(rf"([,;])(?:[ \t]{{0,8}}{GAP}[ \t]{{0,8}}[,;]){{1,8}}"), r"\1"),
    (re.compile(rf"[ \t]{{1,8}}{GAP}[ \t]{{0,8}}(?=[.,;:)\n]|\Z)"), ""),
)
MAX_MARKUP = 8_000_000  # code points; MediaWiki saves pages of at most 2 MiB ($wgMaxArticleSize)
REDIRECT = re.compile(r"\s{0,100}#\s{0,10}(?:redirect|넘겨주기|재지정)\s{0,10}:?\s{0,10}\[\[", re.IGNORECASE)


def extract(item: Item) -> Extracted:
    """Extract a page's text; dropped as `empty`, `redirect`, `links-only` (disambiguation), `too-large`, `no-text`."""
    encoding, undecodable = "utf-8", False
    if isinstance(item.body, str):
        markup = item.body
    else:
        decoded = decode(item.body, item.charset)
        markup, encoding, undecodable = decoded.text, decoded.encoding, decoded.is_undecodable
    reason = "undecodable" if undecodable else refusal(markup)
    text = "" if reason else text_of(markup)
    reason = reason or ("" if text else "no-text")
    return Extracted(
        text=text,
        title=item.title,
        date=item.date,
        author=item.author,
        format="wikitext",
        encoding=encoding,
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def text_of(markup: str) -> str:
    """Return the prose of a page.

    >>> text_of("[[정]]의 <nowiki>[[무]]</nowiki>\\n== 각주 ==\\n{{각주}}")
    '정의 [[무]]'
    """
    page = render(markup)
    return page.restore(prose(page.text)).strip()


def refusal(markup: str) -> str:
    """Return the reason to refuse a page, or "".

    >>> refusal("#넘겨주기 [[서울]]"), refusal("{{동음이의}}"), refusal("서울은 도시이다.")
    ('redirect', 'links-only', '')
    """
    if not markup.strip():
        return "empty"
    if len(markup) > MAX_MARKUP:
        return "too-large"
    if REDIRECT.match(markup):
        return "redirect"
    return "links-only" if DISAMBIGUATION.search(markup) else ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (level 0: the lead section, without one) and the lines below it, up to the next heading."""

    level: int
    title: str
    lines: tuple[str, ...]


def prose(text: str) -> str:
    """Return the lines of a rendered text without the sections that only list other pages.

    A heading is a line with an empty line before it; an item of a list begins with "- ".

    >>> prose("''갑''은 을이다.\\n== 생애 ==\\n* 병\\n== 각주 ==\\n정\\n== 같이 보기 ==\\n* 무")
    '갑은 을이다.\\n\\n생애\\n- 병'
    """
    sections: list[Section] = []
    below = 0  # level of the enclosing section of LISTS; 0 outside
    for section in _split_sections(_resolve_markup(text)):
        if below and section.level > below:
            continue
        below = section.level if "".join(section.title.lower().split()) in LISTS else 0
        if not below:
            sections.append(section)
    kept: list[Section] = []
    needed = 0  # a heading of a level below this has a kept section under it
    for section in reversed(sections):
        if section.lines or (needed and section.level < needed):
            kept.append(section)
            needed = section.level
        elif section.level < needed:
            needed = section.level
    kept.reverse()
    blocks = ("\n".join((section.title, *section.lines) if section.title else section.lines) for section in kept)
    return "\n\n".join(filter(None, blocks))


def _resolve_markup(text: str) -> str:
    """Resolve markup inside lines: bold, external links, tags, character references."""
    if "''" in text:
        text = _QUOTES.sub("", text)
    if "[" in text:
        text = _EXTERNAL.sub(lambda link: link[1] or GAP, text)
    if "__" in text:
        text = _SWITCH.sub("", text)
    if "<" in text:
        text = _READING.sub(lambda tag: ")" if tag[1] else "(", text)
        text = _TAGS.sub("", _BREAK.sub("\n", text))
    if "&" in text:
        text = html.unescape(text)
    if GAP in text:
        for pattern, instead in _BRACKETS:
            text = pattern.sub(instead, text)
        text = text.replace(GAP, "")
    return text.replace(CELL, " | ")


def _split_sections(text: str) -> Iterator[Section]:
    level, title, lines = 0, "", list[str]()
    for line in text.split("\n"):
        heading = _HEADING.fullmatch(line) if line.startswith("=") else None
        if heading:
            yield Section(level, title, tuple(_paragraphs(lines)))
            level, title, lines = len(heading[1]), " ".join(heading[2].split()), []
        else:
            lines.append(line)
    yield Section(level, title, tuple(_paragraphs(lines)))


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Yield the lines without list marks and extra space; one empty line between paragraphs, none at the ends."""
    blank = begun = False
    for raw in lines:
        line = raw.strip()
        if line.startswith("----"):
            line = line.lstrip("-").strip()
        else:
            marks = _MARKS.match(line)
            line = _SPACES.sub(" ", line[marks.end() :] if marks else line).strip()
            if line and marks and marks[1][-1] in "*#":
                line = f"- {line}"
        if not line:
            blank = begun
            continue
        if blank:
            yield ""
        yield line
        blank, begun = False, True
