"""Facts of the Korea Open Government Licence (공공누리) on a page, and the proof `kogl-block` that two of them make.

A fact is a link to the page of a type, an image under the name of the licence's own files, or a sentence that matches a
template (kogl_sentences.toml) as a whole. The number 0 in the name of an image `opencode0` is the old mark for *not
free*; type 0 exists since 2026-01-28 and is read from words only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lxml import html

from crawlers.formats.html.runs import Link, PageEvidence, Run, quote
from crawlers.rights.rules import is_publisher
from malmoi.licensing.licence_words import kogl_words
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.rights_decision import UNKNOWN

TYPE_0_SINCE = "2026-01"  # month in which type 0 came into force
MAX_AFTER = 60  # code points of a run of the item that may follow a block in the footer of the item
MAX_BLOCK = 8  # runs of such a block
_TITLES = frozenset(("h1", "h2", "h3", "h4"))
MAX_WORDS = 600  # code points of a run that are read
MIN_TITLE = 4  # letters of a title that a sentence is compared with
_IMAGE = re.compile(
    r"(?:new_)?img_open(?P<kind>code|type)_?(?P<n>0{0,2}[0-9]|ai)(?:_[a-z]{1,3})?\.(?:jpe?g|png|gif|svg|webp)"
    r"|opentype_?(?P<short>0{0,2}[1-4])(?:_[a-z]{1,3})?\.(?:jpe?g|png|gif|svg|webp)",
    re.I,
)
NAME = re.compile(r"공공누리|공고누리|KOGL|공공저작물\s?자유이용\s?허락|자유이용", re.I)
_CONTEXT = re.compile(r"kogl|open(?:code|type)", re.I)
_MARKS = re.compile(r"[\s\"'“”‘’「」『』<>〈〉《》\[\]]|^\W*출처\s?[:：]")
_DIGITS = str.maketrans("０１２３４①②③④", "012341234")
_SENTENCE = re.compile(r"(?<=[.!?。])\s+|(?<=니다)\s+(?=[가-힣※])")
# A clause behind the sentence that takes something out; parts other than the text leave the licence as it is.
_BUT = re.compile(
    r"^[※*·\-\s]*(?:단|다만)[,\s]|제외(?:합|한|됩|함)|적용되지\s?않|에\s?한(?:함|하여|해)|한정|까지\s?(?:유효|이용)"
)
_USED = re.compile(
    r"(?:을|를)\s?(?:이용|활용|사용|인용|가공)(?:하였|했)(?:습니다|으며)"
)  # works of others, as they are cited
_PARTS = re.compile(
    r"사진|이미지|그림|삽화|영상|음악|음원|글꼴|폰트|서체|로고|지도|캐릭터|아이콘|제\s?3\s?자|타인|첨부"
)
_ONLY_PARTS = re.compile(
    rf"(?:{_PARTS.pattern}|포스터|붙임|파일)[가-힣]{{0,3}}(?:에만|에|만|에\s?한해)\s?(?:적용|해당|한함|한정|한하)"
)
_TERMS = re.compile(r"저작권|판권|무단|문의\s?(?:후|하|바람)|허락(?!\s?[:：(출])|적용되지|적용하지|제외")
_TEXT = re.compile(r"본문|글(?!꼴)|텍스트|기사|전문|원고|내용")

FactKind = Literal["link", "image", "sentence", "words"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: the type it names ("0" … "4", "AI", "?" if limited or unreadable), "none" for *not free*, and where."""

    kind: FactKind
    type: str
    words: str
    element: html.HtmlElement
    run: Run


def find_facts(shown: Sequence[Run], titles: Sequence[str], publisher: str, date: str) -> Iterator[Fact]:
    """Yield the facts of a page, and `words` of images and marks that name a type without being a fact.

    `titles` are the titles of the page, `publisher` that of the source, `date` the ISO date of the item or "".
    """
    for number, run in enumerate(shown):
        for link in run.links:
            licence = licence_from_url(link.element.get("href") or "") or ""
            if licence.startswith("LicenseRef-KOGL-"):
                words = quote(link.element.get("href") or "", link.text)
                yield Fact("link", licence.removeprefix("LicenseRef-KOGL-"), words, link.element, run)
        for image, inside in run.images:
            yield from _read_image(image, inside, run, date)
        if run.text and len(run.text) <= MAX_WORDS and NAME.search(run.text):
            after = shown[number + 1] if number + 1 < len(shown) else None
            before = shown[number - 1].text[-MAX_WORDS:] if number else ""
            yield from _read_words(run, before, after, titles, publisher, date)


def _read_image(image: html.HtmlElement, inside: Link | None, run: Run, date: str) -> Iterator[Fact]:
    """Yield what the file name and the alternative text of a mark say; nothing for an image that links elsewhere."""
    address = inside.element.get("href") or "" if inside is not None else ""
    linked = bool(_CONTEXT.search(address))
    if address and not linked and not address.startswith(("#", "javascript:")):
        return
    file, alternative = (image.get("src") or "").partition("?")[0].rpartition("/")[2], image.get("alt") or ""
    match = _IMAGE.fullmatch(file)
    if not (match or linked or NAME.search(alternative) or (run.state.mark is not None and _CONTEXT.search(file))):
        return
    words, said = quote(file, alternative), kogl_words(alternative)
    number = (match["n"] or match["short"]).lower().lstrip("0") or "0" if match else ""
    if "불가" in alternative or (number == "0" and match and (match["kind"] or "").lower() == "code"):
        yield Fact("image", "none", words, image, run)
        return
    if number and number != "0":
        yield Fact("image", number.upper(), words, image, run)
    for type_ in said.types:
        if type_ == "0":
            if date[:7] >= TYPE_0_SINCE and NAME.search(alternative):
                yield Fact("image", "0", words, image, run)
        elif type_ != number:
            yield Fact("words", type_, words, image, run)
    if said.ai and number != "ai":
        yield Fact("words", "AI", words, image, run)


def _read_words(
    run: Run, before: str, after: Run | None, titles: Sequence[str], publisher: str, date: str
) -> Iterator[Fact]:
    said = [one.strip() for one in _SENTENCE.split(run.text) if one.strip()]
    beside = after is not None and len(after.text) <= MAX_WORDS and after.owner.getparent() is run.owner.getparent()
    more = after.text if beside and after is not None and re.match(r"[※*·\-\s]*(?:단|다만)[,\s]", after.text) else ""
    for number, sentence in enumerate(said):
        words = kogl_words(sentence)
        if not NAME.search(sentence) or not (words.types or words.ai):
            continue
        if not matches_template(sentence, titles, publisher):
            # A sentence about a work of another title was copied with the mark of that work.
            other = matches_template(sentence, None, None) and not matches_template(sentence, titles, None)
            for type_ in words.types:
                yield Fact("words", "?" if other else type_, quote(sentence), run.owner, run)
            continue
        used = any(_USED.search(one) for one in (*said[:number], before))
        limited = used or len(words.types) > 1 or any(_has_limit(one) for one in (*said[number + 1 :], more))
        old = "0" in words.types and bool(date) and date[:7] < TYPE_0_SINCE
        for type_ in words.types:
            yield Fact("sentence", "?" if limited or old else type_, quote(sentence), run.owner, run)
        if words.ai:
            yield Fact("sentence", "AI", quote(sentence), run.owner, run)


def _has_limit(sentence: str) -> bool:
    """Whether a sentence takes the text, or something unnamed, out of the licence.

    >>> [_has_limit(s) for s in ("다만, 사진은 제외합니다.", "단, 본문은 제외합니다.", "담당: 기획과")]
    [False, True, False]
    """
    return bool(_BUT.search(sentence)) and (bool(_TEXT.search(sentence)) or not _PARTS.search(sentence))


def matches_template(sentence: str, titles: Sequence[str] | None = (), publisher: str | None = "") -> bool:
    """Whether a whole sentence matches a template; a title in it must be one of `titles`, a maker the `publisher`.

    None stands for any title, and for any maker.
    """
    parts = read_templates()["parts"]
    key = re.sub(parts["use"], "@use", re.sub(parts["mark"], "@mark", _key(sentence), count=1, flags=re.I), count=1)
    for one in read_templates()["template"]:
        match = re.fullmatch(one["pattern"], key)
        if match is None:
            continue
        groups = match.groupdict()
        maker, title = groups.get("maker"), groups.get("title")
        if maker and publisher is not None and not is_publisher(maker, publisher):
            continue
        if title is None or titles is None:
            return True
        if title and any(title == key or (len(title) >= MIN_TITLE and title in key) for key in map(_key, titles)):
            return True
    return False


def _key(text: str) -> str:
    return _MARKS.sub("", text).translate(_DIGITS).strip(".。!")


@cache
def read_templates() -> dict[str, Any]:
    """Return the content of kogl_sentences.toml: `parts`, and a list of `template`."""
    return tomllib.loads(Path(__file__).with_name("kogl_sentences.toml").read_text(encoding="utf-8"))


def is_limited(facts: Sequence[Fact], shown: Sequence[Run]) -> bool:
    """Whether a line in or right behind a block says that the mark is only for pictures, files or other parts."""
    last = max((number for number, run in enumerate(shown) if any(fact.run is run for fact in facts)), default=-1)
    words = [*(fact.run.text for fact in facts), *(run.text for run in shown[last + 1 : last + 3])]
    return any(is_of_parts(one[:MAX_WORDS]) for one in words)


def is_of_parts(line: str) -> bool:
    """Whether a line limits a mark to pictures, files or other parts: 사진에만 적용."""
    return bool(_ONLY_PARTS.search(line))


def is_last(facts: Sequence[Fact], shown: Sequence[Run]) -> bool:
    """Whether the facts are one block behind all prose and headings of the runs, and behind more than follows it."""
    own = {id(fact.run) for fact in facts}
    numbers = [number for number, run in enumerate(shown) if id(run) in own]
    first, last = min(numbers), max(numbers)
    before, after = ([run for run in part if run.state.part != "site"] for part in (shown[:first], shown[last + 1 :]))
    short = not any(len(run.text) > MAX_AFTER or run.owner.tag in _TITLES for run in after)
    lengths = [sum(len(run.text) for run in part) for part in (before, after)]
    return last - first <= MAX_BLOCK and short and lengths[0] >= lengths[1]


def names_part(label: str) -> bool:
    """Whether the label of a mark names a part other than the text.

    >>> [names_part(one) for one in ("사진", "원문이미지 이용조건", "이용조건", "글·사진")]
    [True, True, False, False]
    """
    return bool(_PARTS.search(label)) and not _TEXT.search(re.sub(r"원문\s?(?=이미지|사진)", "", label))


def has_other_terms(line: str) -> bool:
    """Whether a line beside a mark says something else about rights, other than that pictures are excepted.

    >>> has_other_terms("학술지 게재, 저작권은 저자"), has_other_terms("다만, 사진은 제3자에게 저작권이 있습니다.")
    (True, False)
    """
    return bool(_TERMS.search(line)) and (bool(_TEXT.search(line)) or not _PARTS.search(line))


def prove(facts: Sequence[Fact], *, kind: str = "kogl-block") -> tuple[PageEvidence, ...]:
    """Return the proof that the facts of one block make, () if fewer than two kinds of facts agree on one type.

    Words of other marks in the block must not name another type; the AI type joins types 1 to 4.
    """
    types = {fact.type for fact in facts} - {"AI"}
    kinds = {fact.kind for fact in facts if fact.type not in ("AI", "?") and fact.kind != "words"}
    if len(types) != 1 or len(kinds) < 2:
        return ()
    (type_,) = types
    if type_ not in "01234":
        return ()
    ai = "-AI" if type_ != "0" and any(fact.type == "AI" and fact.kind != "words" for fact in facts) else ""
    by_kind = {fact.kind: fact for fact in facts if fact.kind != "words" and fact.type == type_}
    first = min(by_kind.values(), key=lambda fact: fact.kind != "sentence")
    words = quote(*dict.fromkeys(fact.words for fact in (first, *by_kind.values())))
    return (PageEvidence(f"LicenseRef-KOGL-{type_}{ai}", kind, words, first.element, first.run.state),)


def candidate(fact: Fact) -> PageEvidence:
    """Return a fact as a candidate, or as a refusal if it says that the work is not free."""
    if fact.type == "none":
        return PageEvidence("none", "refusal-free-use", fact.words, fact.element, fact.run.state)
    licence = UNKNOWN if fact.type not in (*"01234", "AI") else f"LicenseRef-KOGL-{fact.type}"
    return PageEvidence(licence, fact.kind, fact.words, fact.element, fact.run.state)
