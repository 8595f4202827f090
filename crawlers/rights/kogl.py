"""Find marks of the Korea Open Government Licence (공공누리) among the runs of a page.

A mark is a link, an image or a declaring sentence. Pages that explain the types show the same
links and images; `without_legends` tells them apart. The number 0 in the name of an image is the
old mark for *not free* and never grants anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import html

from crawlers.rights.place import Run, State, names, quote
from malmoi.licence_words import kogl_words, licence_from_text
from malmoi.licences import licence_from_url

TYPE_0_SINCE = "2026-01"  # month in which type 0 came into force (2026-01-28)
NAME = re.compile(r"공공누리|공고누리|KOGL|공공저작물\s?자유이용\s?허락", re.I)

_IMAGE = re.compile(
    r"(?:new_)?img_open(?:code|type)_?(0{0,2}[0-9]|ai)(?:_[a-z]{1,3})?\.(?:jpe?g|png|gif|svg|webp)", re.I
)
_CONTEXT = re.compile(r"kogl|open(?:code|type)", re.I)
_VERB = re.compile(
    r"(?:(?:이용|사용|활용)\s?(?:을|이)?\s?(?:할\s?수\s?있|하실\s?수\s?있|가능|허락)"
    r"|(?:개방|제공|공개|적용|해당)\s?(?:하고|되고|되어)?)"
    r"\s?(?:습니다|있습니다|합니다|됩니다|하였습니다|되었습니다|함|됨|음|(?:한|된|되는)\s?(?:공공)?저작물입니다)?[.!]?"
    r"\s*(?:[(<\[〈].{0,100})?$"
)
_OWN = re.compile(
    r"^(?:[※*▶■□○●·\-\s]|(?:저작권|이용\s?조건|공공누리)\s?[:：])*(?:(?:본|위|이|해당|동)\s?(?:공공\s?)?"
    r"(?:저작물|게시물|글|기사|콘텐츠|컨텐츠|페이지|문서|보도자료|누리집|홈페이지|웹사이트)|(?:본|위)\s?(?:자료|보고서|데이터)|"
    r".{1,60}창작(?:한|하여)\s.{0,120}저작물(?:은|는))"
)
_UNLIKELY = re.compile(r"부터|예정|라면|경우|예\s?[:：)]|예시|예를|하려면|유형별|각\s?유형|어떤|란\s|이란")
_ANNOUNCED = re.compile(
    r"(?:문구|예시|보기|예를\s?들|다음과\s?같|아래와\s?같|작성\s?례|표기\s?방법|적용\s?방법)[^.]{0,20}[:：.]?$"
)
_BUT_TEXT = re.compile(r"^(?:다만|단)[,\s].{0,60}(?:본문|글|텍스트|전문|기사).{0,60}(?:없|제외|금지|불가)")
_NO_AI = re.compile(r"AI\s?유형(?:은|는|이|의)?\s?(?:제외|미적용|미포함|아님|적용\s?안)", re.I)
_LISTED = frozenset("li h1 h2 h3 h4 h5 h6".split())  # a bare text link in these leads somewhere, it marks nothing
_EXPLAINS = re.compile(r"유형\s?(?:별|안내|선택|설명|이란|종류)|이용\s?조건\s?(?:이란|안내)|종류|고르|선택")
MAX_BESIDE = 120  # code points of other text in the run of a sentence that stands outside a mark block
MAX_LEGEND = 1_500  # code points of a block that explains two types
MAX_SHOWN = 300  # links and images; more are no legend, and every one of them speaks
MAX_SENTENCE = 600  # code points; longer ones declare nothing
MAX_WORDS = 300  # code points of a mark block that are read for contradictions
MAX_CAPTION = 20  # code points of other text in the run of an image


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that speaks for types of the licence; "0" with `refused` is the old mark for not free."""

    types: tuple[str, ...]
    ai: bool
    refused: bool
    kind: str  # kogl-link, kogl-image, kogl-sentence
    quote: str
    element: html.HtmlElement
    state: State
    declared: bool = False


def hits(found: Sequence[Run], date: str = "") -> list[Hit]:
    """Everything on a page that may be a mark, legends included, in document order.

    `date` is the item's ISO date; type 0 is believed only from 2026-01 on, or where no date is
    known and a sentence declares it.
    """
    by_run: list[list[Hit]] = []
    for number, run in enumerate(found):
        before = found[number - 1].text if number else ""
        said = list(_sentences(run, _has_picture(found, number), before, date))
        by_run.append([*said, *_links(run, bool(said)), *_images(run, bool(said), date)])
    blocks = {hit.state.mark for here in by_run for hit in here if hit.state.mark is not None}
    for run, here in zip(found, by_run, strict=True):
        if run.state.mark in blocks and not any(hit.declared for hit in here):
            here += _words_beside(run)
    return [hit for here in by_run for hit in here]


def _words_beside(run: Run) -> Iterator[Hit]:
    """Other words of a mark block: they grant nothing, but may contradict its link or image."""
    words = kogl_words(run.text[:MAX_WORDS])
    limits = (words.conditions,) if words.conditions in ("2", "3", "4") else ()
    if types := tuple(sorted({*words.numbers, *limits} - {"0"})):
        yield Hit(types, False, False, "kogl-words", quote(run.text), run.owner, run.state)


def _has_picture(found: Sequence[Run], number: int) -> bool:
    """Whether a KOGL link or image stands in this run or in a neighbour with the same parent."""
    here = found[number]
    for run in found[max(0, number - 1) : number + 2]:
        near = run.owner in (here.owner, here.owner.getparent()) or run.owner.getparent() is here.owner.getparent()
        linked = any(_CONTEXT.search(link.element.get("href") or "") and link.image for link in run.links)
        if near and (linked or any(_CONTEXT.search(_file(image)) for image, _ in run.images)):
            return True
    return False


def _sentences(run: Run, pictured: bool, before: str, date: str) -> Iterator[Hit]:
    if not NAME.search(run.text) or ("유형" not in run.text and "출처" not in run.text):
        return
    sentences = re.split(r"(?<=[.!?])\s+", run.text)
    for number, sentence in enumerate(sentences):
        if len(sentence) > MAX_SENTENCE:
            continue
        words = kogl_words(sentence)
        if not words.types or not NAME.search(sentence) or not _VERB.search(sentence) or _UNLIKELY.search(sentence):
            continue
        trusted = run.state.mark is not None or pictured or run.state.part == "site"
        alone = number == 0 and len(run.text) - len(sentence) <= MAX_BESIDE and not _ANNOUNCED.search(before)
        # What limits needs less proof than what grants: a limiting sentence may stand at the end of a paragraph.
        limits = not {"2", "3", "4"}.isdisjoint(words.types) and not _ANNOUNCED.search(before)
        if not trusted and not ((alone or limits) and _OWN.search(sentence)):
            continue
        if "0" in words.numbers and date and date[:7] < TYPE_0_SINCE and TYPE_0_SINCE[:4] not in sentence:
            continue
        ai = words.ai and not _NO_AI.search(sentence)
        types = ("0",) if words.numbers == ("0",) and words.conditions == "" else words.types
        more = kogl_words(" ".join(sentences[number + 1 :]))  # a condition may come after the full stop
        types += tuple(t for t in (*more.numbers, more.conditions) if t and t not in ("1", *types))
        yield Hit(types, ai, False, "kogl-sentence", quote(sentence), run.owner, run.state, True)
        if any(_BUT_TEXT.search(later) for later in sentences[number + 1 :]):
            yield Hit((), False, True, "kogl-sentence", quote(run.text), run.owner, run.state)


def _links(run: Run, declared: bool) -> Iterator[Hit]:
    for link in run.links:
        licence = licence_from_url(link.element.get("href") or "") or ""
        if not licence.startswith("LicenseRef-KOGL-"):
            continue
        number = licence.removeprefix("LicenseRef-KOGL-")
        value = licence_from_text(link.text) or ""
        named = value.startswith("LicenseRef-KOGL-") and len(run.text) <= len(link.text.strip()) + MAX_CAPTION
        named = named and not (run.owner.tag in _LISTED and run.text == link.text.strip())
        if link.image or declared or named or run.state.mark is not None:
            types = () if number == "AI" else (number,)
            words = quote(link.element.get("href") or "", link.text)
            yield Hit(types, number == "AI", False, "kogl-link", words, link.element, run.state)
            if named and value != licence:
                other = kogl_words(link.text)
                yield Hit(other.types, other.ai, False, "kogl-link", words, link.element, run.state)


def _images(run: Run, declared: bool, date: str) -> Iterator[Hit]:
    for image, link in run.images:
        file, alternative = _file(image), " ".join(filter(None, (image.get("alt"), image.get("title"))))
        linked = bool(link is not None and _CONTEXT.search(link.element.get("href") or ""))
        by_file = _IMAGE.fullmatch(file)
        context = bool(by_file) or linked or bool(_CONTEXT.search(file)) or bool(NAME.search(alternative))
        if not context and run.state.mark is None:
            continue
        prose = len(run.text) > MAX_CAPTION and not declared and not linked and run.state.mark is None
        number = by_file[1].lower().lstrip("0") or "0" if by_file else ""
        words, refused = kogl_words(alternative), "불가" in alternative
        refused = refused or (number == "0" and "code" in file.lower())
        if prose and not refused:
            continue
        spoken = set(words.types)
        if "0" in spoken and not (date[:7] >= TYPE_0_SINCE and NAME.search(alternative) and not refused):
            spoken.discard("0")  # the word alone is older than the type
        types = spoken | ({number} if number in ("1", "2", "3", "4") else set()) | ({"0"} if refused else set())
        ai = words.ai or number == "ai"
        if types or ai or refused:
            yield Hit(tuple(sorted(types)), ai, refused, "kogl-image", quote(file, alternative), image, run.state)


def _file(image: html.HtmlElement) -> str:
    return (image.get("src") or "").partition("?")[0].rpartition("/")[2]


def without_legends(found: Sequence[Hit]) -> list[Hit]:
    """`found` without the links and images of blocks that show the types side by side.

    Such a block shows three types or more (two, where its words explain) in ascending order. What
    stands beside a sentence that declares the same type stays; so does every contradiction.
    """
    shown = [hit for hit in found if not hit.declared]
    if len(shown) > MAX_SHOWN:
        return list(found)
    dropped: set[int] = set()
    for root, below in _shared_ancestors(shown):
        own = _own_block(below)
        samples = [hit for hit in below if hit not in own]
        if _is_legend(root, samples):
            dropped |= {id(hit) for hit in samples if not _anchored(hit, found)}
    return [hit for hit in found if id(hit) not in dropped]


def _own_block(below: Sequence[Hit]) -> list[Hit]:
    """The hits of the one mark block among them that is built unlike all the others and names one type."""
    groups: dict[tuple[str, ...], list[Hit]] = {}
    for hit in below:
        groups.setdefault(() if hit.state.mark is None else tuple(names(hit.state.mark)), []).append(hit)
    single = [group for name, group in groups.items() if name and len({t for h in group for t in h.types}) == 1]
    return single[0] if len(single) == 1 and len(groups) > 1 else []


def _shared_ancestors(shown: Sequence[Hit]) -> list[tuple[html.HtmlElement, list[Hit]]]:
    """The lowest elements above each hit that hold two types or more, with the hits below them."""
    below: dict[html.HtmlElement, list[Hit]] = {}
    for hit in shown:
        for ancestor in hit.element.iterancestors():
            below.setdefault(ancestor, []).append(hit)
    lowest: dict[html.HtmlElement, list[Hit]] = {}
    for hit in shown:
        for ancestor in hit.element.iterancestors():
            if len({t for h in below[ancestor] for t in h.types}) > 1:
                lowest[ancestor] = below[ancestor]
                break
    return list(lowest.items())


def _is_legend(root: html.HtmlElement, below: Sequence[Hit]) -> bool:
    order = [hit.types[0] for hit in below if hit.types]
    collapsed = [t for n, t in enumerate(order) if not n or order[n - 1] != t]
    if any(len(hit.types) > 1 for hit in below) or len(collapsed) < 2 or collapsed != sorted(set(collapsed)):
        return False
    words = root.text_content()
    return len(collapsed) > 2 or (len(words) <= MAX_LEGEND and bool(_EXPLAINS.search(words)))


def _anchored(hit: Hit, found: Sequence[Hit]) -> bool:
    """Whether a sentence beside the hit, or in the same mark block, declares what it shows."""
    for other in found:
        if other.declared and set(hit.types) <= set(other.types):
            block = other.state.mark
            home = block if block is not None else other.element.getparent()
            if home is not None and (hit.types or block is not None) and _inside(hit.element, [home]):
                return True
    return False


def _inside(element: html.HtmlElement, roots: Sequence[html.HtmlElement]) -> bool:
    return any(ancestor is root for root in roots for ancestor in (element, *element.iterancestors()))
