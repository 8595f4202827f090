"""Convert wiki text without inline markup to lines of prose: headings, lists, tags, sections without prose."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawlers.formats.mediawiki.wikitext_parser import GAP
from crawlers.formats.mediawiki.wikitext_tables import CELL

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
    kept = _drop_empty_sections(list(_drop_lists(_sections(_inline(text)))))
    blocks = ("\n".join((section.title, *section.lines) if section.title else section.lines) for section in kept)
    return "\n\n".join(filter(None, blocks))


def _inline(text: str) -> str:
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


def _sections(text: str) -> Iterator[Section]:
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
        line = _clean_line(raw)
        if not line:
            blank = begun
            continue
        if blank:
            yield ""
        yield line
        blank, begun = False, True


def _clean_line(raw: str) -> str:
    line = raw.strip()
    if line.startswith("----"):
        return line.lstrip("-").strip()
    marks = _MARKS.match(line)
    if marks is None:
        return _SPACES.sub(" ", line).strip()
    words = _SPACES.sub(" ", line[marks.end() :]).strip()
    return f"- {words}" if words and marks[1][-1] in "*#" else words


def _drop_lists(sections: Iterator[Section]) -> Iterator[Section]:
    """Yield the sections except those of LISTS and their subsections."""
    below = 0  # level of the enclosing list section; 0 outside
    for section in sections:
        if below and section.level > below:
            continue
        below = section.level if _fold_title(section.title) in LISTS else 0
        if not below:
            yield section


def _drop_empty_sections(sections: list[Section]) -> list[Section]:
    """Return the sections that have lines, or contain one that has."""
    kept: list[Section] = []
    needed = 0  # a heading of a level below this has a kept section under it
    for section in reversed(sections):
        if section.lines or (needed and section.level < needed):
            kept.append(section)
            needed = section.level
        elif section.level < needed:
            needed = section.level
    return kept[::-1]


def _fold_title(title: str) -> str:
    return "".join(title.lower().split())
