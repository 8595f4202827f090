"""Shared code of the repositories of legalize-kr: law.go.kr as Markdown files with front matter, one file a text.

The repositories rewrite their history, and a file changes its path with the name of the text or of its ministry. So
neither commit nor path names anything: `Git.named_by` makes the identifier of law.go.kr in the front matter the address
of a file, and it is the key of the document too, as with the interface of law.go.kr (crawlers/platforms/law_go_kr.py).
The text is written as that interface gives it: articles, paragraphs and items on lines of their own, without Markdown.

The date of a commit, and so of a capture, is the one of promulgation or judgment that the repository gives to it.

Facts of the layout: README.md of the four repositories, legalize-kr/legalize-pipeline and legalize-kr/compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, urlsplit

import re2

from crawlers.catalogue import Evidence, Items, Text
from crawlers.encodings.decode import decode
from crawlers.formats import ParsedItem, front_matter, markdown, xml_records
from crawlers.formats.html.runs import quote as words_of
from crawlers.formats.text import normalise_lines
from crawlers.platforms import law_go_kr
from crawlers.rights import response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.rights_decision import UNKNOWN
from malmoi.source import Extracted, Git, Item, LicenceClaim, LicenceRule, Source

BASE = "https://github.com/legalize-kr"
REGISTER = "www.law.go.kr"  # the host in 출처 of every file
UNVERIFIED = (
    "How many files the head of main holds. Read were stored copies of 30 files of the four repositories, README.md, "
    "and the programs that write the files; parts of six files were compared with what is made of them. None of the "
    "stored copies has a file LICENSE: README.md names the licence."
)
STRUCTURE = "저장소 구조, 메타데이터: MIT"  # the sentence of README.md about everything that is not a text of the State
HEADNOTES, CITED, JUDGMENT = ("판시사항", "판결요지"), ("참조조문", "참조판례"), "판례내용"  # sections of a judgment
ATTACHED = "parsing-failed"  # 본문출처 of a text that is an attached file
_ARTICLE = re2.compile(r"#{5,6}\s+(.*)")
_HEADING = re2.compile(r"#{1,4}\s+(.*)")
_NUMBER = re2.compile(r"^([0-9]{1,4}(?:의[0-9]{1,3})?|[가-힣](?:의[0-9]{1,3})?)\\\.\s*")
_BOLD = re2.compile(r"^\*\*([^*]{1,200})\*\*")
_PARAGRAPH = re2.compile(
    r"^[\x{2460}-\x{2473}\x{3251}-\x{325f}]|^(?:[0-9]{1,4}|[가-힣])(?:의[0-9]{1,3})?\.\s"
)  # ① 1. 가.
_CHAPTER = re2.compile(r"(제[0-9]{1,3}(?:의[0-9]{1,3})?[편장절관](?:\s.*)?)")
_ADDENDUM = re2.compile(r"^부\s?칙\s*(?:$|[<(])")
_IMAGE = re2.compile(r"(?i)<img\b[^<>]{0,1000}>")


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository: the names of its front matter, and how a file becomes text."""

    name: str  # of the repository
    keys: tuple[str, ...]  # fields that hold the identifier of law.go.kr; the first with a value counts
    title: str
    date: str
    author: str
    stated: str  # field that states what a text is, for the evidence
    covered: Callable[[Mapping[str, Any]], bool]  # whether article 7 covers a text with this front matter
    blocks: Callable[[str], Sequence[str]]  # the text of a body, block by block
    include: tuple[str, ...] = ("**/*.md",)
    corrected: str = ""  # field that is true if `date` is not the real one, which is in `original`
    original: str = ""
    empty: str = "empty"  # reason for dropping a file without a text


def source(repository: Repository, /, *, unverified: str = "", **facts: Any) -> Source:
    """Return the source of a repository: `facts` are those fields of Source in which the repositories differ."""
    return Source(
        **facts,
        publisher="법제처 국가법령정보센터",
        access=Git(
            f"{BASE}/{repository.name}",
            include=repository.include,
            exclude=("*.md",),
            named_by=repository.keys,
        ),
        claim=(LicenceClaim("MIT", STRUCTURE, file="README.md"),),
        rule=LicenceRule((law_go_kr.STATUTE,), expected=(law_go_kr.ARTICLE_7,)),
        domain="law",
        unverified=f"{UNVERIFIED} {unverified}".strip(),
    )


def functions(repository: Repository) -> tuple[Items, Evidence, Text]:
    """Return the functions that a source of the repository defines: items, evidence, text."""
    return partial(items, repository), partial(evidence, repository), partial(text, repository)


def items(repository: Repository, capture: Capture) -> Iterator[Item]:
    """Yield the one document of a file, under the identifier of law.go.kr; a file without one has none."""
    _, key = front_matter.find_identifier(capture.body, repository.keys)
    if not key:
        return
    said, _ = _split(capture.body)
    # Where the file says that it wrote another date, before 1970, that of law.go.kr counts.
    corrected = repository.corrected and _word(said.get(repository.corrected)).lower() == "true"
    page = urlsplit(_word(said.get("출처")))
    yield Item(
        key=key,
        url=page._replace(path=quote(page.path)).geturl() if page.hostname == REGISTER else capture.url,
        body=capture.body,
        media="text/markdown",
        charset="utf-8",
        record=capture.record,
        headers=capture.headers,
        title=_word(said.get(repository.title)),
        date=law_go_kr.parse_date(_word(said.get(repository.original if corrected else repository.date))),
        author=_word(said.get(repository.author)),
    )


def text(repository: Repository, parsed: ParsedItem) -> Extracted:
    """Extract the text of a file without front matter, title and marks of Markdown.

    Dropped as `attached-only` (the text is an attached file), `image-only`, or for the reason of the repository.
    """
    item = parsed.item
    body = item.body if isinstance(item.body, bytes) else item.body.encode()
    said, rest = _split(body)
    lines = _IMAGE.sub("", rest).split("\n")  # an image may end on the next line
    # Other HTML goes, too, but not words such as <개정 2020. 1. 1.>.
    plain = "\n".join(xml_records.prose(line) if "<" in line or "&" in line else line for line in lines)
    found = "\n\n".join(repository.blocks(plain))
    reason = "" if found else "image-only" if _IMAGE.search(rest) else repository.empty
    reason = "attached-only" if _word(said.get("본문출처")) == ATTACHED else reason
    return Extracted(
        "" if reason else found,
        title=item.title,
        date=item.date,
        author=item.author,
        format="markdown",
        encoding=decode(body, item.charset).encoding,
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def evidence(repository: Repository, parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return what the front matter says the text is, and a note of the images that are not in the text.

    Article 7 counts if the file names law.go.kr as its origin and its kind and body are in the closed lists of
    crawlers/platforms/law_go_kr.py; a file that does not say what it is gives no evidence.
    """
    item = parsed.item
    body = item.body if isinstance(item.body, bytes) else item.body.encode()
    said, rest = _split(body)
    images = len(_IMAGE.findall(rest))
    signals = response_signals.find(item, None)
    if images:
        signals = (
            *signals,
            Signal("images", "note", f"images that are not in the text: {images}", "text", item.record),
        )
    words = _word(said.get(repository.stated))
    if not words:
        return (), signals
    from_register = urlsplit(_word(said.get("출처"))).hostname == REGISTER
    covered = from_register and repository.covered({name: _word(value) for name, value in said.items()})
    found = LicenceEvidence(
        licence=law_go_kr.ARTICLE_7 if covered else UNKNOWN,
        kind=law_go_kr.STATUTE,
        scope="item",
        quote=words_of(repository.stated, words),
        place=f"front matter/{repository.stated}",
        record=item.record,
    )
    return (found,), signals


def articles(body: str) -> list[str]:
    r"""Return the blocks of a statute: headings, articles with their paragraphs and items, supplementary provisions.

    >>> body = "# 가법\n\n##### 제1조 (목적)\n\n이 법은 …\n\n##### 제2조\n\n**①** 나.\n\n  1\\. 다\n\n## 부칙"
    >>> articles(body + "\n\n부칙 <제1호>\n\n라")
    ['제1조(목적) 이 법은 …', '제2조\n① 나.\n1. 다', '부칙 <제1호>\n라']
    >>> articles("# 가\n\n## 부칙\n\n이 조례는 공포한 날부터 시행한다.")
    ['부칙', '이 조례는 공포한 날부터 시행한다.']
    """
    blocks: list[list[str]] = [[]]
    begun = whole = False  # an article whose first words come next; a block that an empty line does not end
    lines = body.strip("\n").split("\n")
    if lines[0].startswith("# "):  # it repeats the title
        del lines[0]
    for line in map(_unmark, lines):
        article, heading = _ARTICLE.fullmatch(line), _HEADING.fullmatch(line) or _CHAPTER.fullmatch(line)
        if article:
            blocks.append([article[1].replace(" (", "(", 1)])
        elif heading:
            blocks += [[heading[1]], []]
        elif _ADDENDUM.match(line):
            blocks.append([line])
        elif not line:
            blocks += [] if whole else [[]]
            continue
        elif begun and not _PARAGRAPH.match(line):
            blocks[-1][0] += f" {line}"
        else:
            blocks[-1].append(line)
        begun = bool(article)
        whole = not heading and (whole or begun or bool(_ADDENDUM.match(line)))
    return ["\n".join(block) for block in _drop_repeated(list(filter(None, blocks)))]


def judgment(body: str) -> list[str]:
    r"""Return the title and the sections of a judgment as blocks; [] if neither headnote nor judgment is there.

    >>> judgment("# 손해배상\n\n## 판시사항\n\n가\n\n## 판례내용\n\n【주 문】\n  나")
    ['손해배상', '【판시사항】\n가', '【주 문】\n나']
    >>> judgment("# 손해배상\n\n## 참조조문\n\n민법 제1조")
    []
    """
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in map(str.strip, body.split("\n")):
        if line.startswith("## ") and line[3:].strip() in (*HEADNOTES, *CITED, JUDGMENT):
            lines = found.setdefault(line[3:].strip(), [])
        elif line:
            lines.append(line if found else line.lstrip("# "))
            found = found or {"": lines}
    if not any(found.get(name) for name in (*HEADNOTES, JUDGMENT)):
        return []
    heads = {name: f"【{name}】\n" for name in (*HEADNOTES, *CITED)}
    order = ("", *HEADNOTES, *CITED, JUDGMENT)
    return [heads.get(name, "") + "\n".join(found[name]) for name in order if found.get(name)]


def _drop_repeated(blocks: list[list[str]]) -> Iterator[list[str]]:
    """Yield the blocks without a heading 부칙 that has no text, or whose text repeats it, as in most files."""
    for block, after in zip(blocks, [*blocks, ["부칙"]][1:], strict=True):
        if block != ["부칙"] or not _ADDENDUM.match(after[0]):
            yield block


@lru_cache(maxsize=4)  # items, text and evidence read one file after another
def _split(body: bytes) -> tuple[Mapping[str, Any], str]:
    return markdown.split_front(normalise_lines(decode(body, "utf-8").text))


def _unmark(line: str) -> str:
    r"""Return a line without the marks that the repository puts around numbers, and before a bracket.

    >>> _unmark("  4의2\\. 방화문"), _unmark("**①** 가"), _unmark("\\[별표 3](일반직 등)")
    ('4의2. 방화문', '① 가', '[별표 3](일반직 등)')
    """
    return str(_NUMBER.sub(r"\1. ", _BOLD.sub(r"\1", line.strip()))).replace("\\[", "[")


def _word(value: object) -> str:
    """Return a value of the front matter as one line; a list as its entries, separated by commas."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_word, value)))
    return " ".join(str(value).split()) if value is not None and not isinstance(value, dict) else ""
