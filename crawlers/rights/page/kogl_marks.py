"""Find marks of the Korea Open Government Licence (공공누리) among the runs of a page.

A mark is a link, an image or a declaring sentence. Pages that explain the types show the same
links and images; `drop_legends` separates them. The number 0 in the name of an image is the
old mark for *not free* and never grants anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml import html

from crawlers.formats.html.runs import Run, names, quote
from crawlers.rights.prefilter import gate, may_match_any
from crawlers.rights.sentences.kogl_sentences import MAX_SUBJECT, MAX_WORDS, NAME, TEXTUAL, TYPE_0_SINCE, Hit, sentences
from malmoi.licensing.licence_words import kogl_words, licence_from_text
from malmoi.licensing.licences import licence_from_url

_IMAGE = re.compile(
    r"(?:new_)?img_open(?:code|type)_?(0{0,2}[0-9]|ai)(?:_[a-z]{1,3})?\.(?:jpe?g|png|gif|svg|webp)", re.I
)
_may_name = gate(NAME)
_CONTEXT = re.compile(r"kogl|open(?:code|type)", re.I)
_MARK_WORDS = re.compile(
    r"공공누리|공고누리|KOGL|유형|출처|표시|licen[cs]e|\btype\b|마크|이용\s?조건|자유\s?이용", re.I
)
_CREDIT = re.compile(
    r"(?:사진|영상|이미지|그림|삽화|지도|음악|음원|photo|image|video)s?\s?(?:출처|제공|저작권|촬영|credit"
    r"|by\b)?\s?(?:[:：=/ⓒ©]|by\b)",
    re.I,
)
_LISTED = frozenset("li h1 h2 h3 h4 h5 h6".split())  # a bare text link in these is navigation, not a mark
_EXPLAINS = re.compile(r"유형\s?(?:별|안내|선택|설명|이란|종류)|이용\s?조건\s?(?:이란|안내)|종류|고르|선택")
MAX_LEGEND = 1_500  # code points of a block that explains two types
MAX_SHOWN = 300  # links and images; more are not a legend, and each of them counts
MAX_CAPTION = 20  # code points of other text in the run of an image


def hits(found: Sequence[Run], date: str = "") -> list[Hit]:
    """Return all possible marks of a page, legends included, in document order.

    `date` is the item's ISO date; type 0 is accepted only from 2026-01 on, or without a date if a
    sentence declares it.
    """
    by_run: list[list[Hit]] = []
    named = may_match_any(_may_name, (run.text for run in found))
    for number, run in enumerate(found):
        said: list[Hit] = []
        if named and NAME.search(run.text):
            before = found[number - 1].text if number else ""
            after = found[number + 1] if number + 1 < len(found) else None
            said = list(sentences(run, _has_picture(found, number), before, date, after))
        more = (*_links(run, bool(said)), *_images(run, bool(said), date)) if run.links or run.images else ()
        credited = bool(more) and run.state.mark is None and _is_credited(found, number)
        by_run.append(said if credited else [*said, *more])
    blocks = {hit.state.mark for here in by_run for hit in here if hit.state.mark is not None}
    for run, here in zip(found, by_run, strict=True):
        if run.state.mark in blocks and not any(hit.declared for hit in here):
            here += _words_beside(run)
    return [hit for here in by_run for hit in here]


def _is_credited(found: Sequence[Run], number: int) -> bool:
    """Whether a mark outside a mark block is beside a photo or film credit; it then applies to that picture or film."""
    run = found[number]
    if _CREDIT.search(run.text) and not TEXTUAL.search(run.text):
        return True
    before = found[number - 1] if number else None
    after = found[number + 1] if number + 1 < len(found) else None
    for one in (before, after) if not run.text else ():
        if one is None or one.state != run.state or len(one.text) > MAX_WORDS:
            continue
        beside = one.owner is run.owner or (one is before and one.owner.getparent() is run.owner.getparent())
        if beside and _CREDIT.search(one.text[:MAX_SUBJECT]) and not TEXTUAL.search(one.text[:MAX_SUBJECT]):
            return True
    return False


def _words_beside(run: Run) -> Iterator[Hit]:
    """Yield other words of a mark block: they grant nothing, but may contradict its link or image."""
    words = kogl_words(run.text[:MAX_WORDS])
    limits = (words.conditions,) if words.conditions in ("2", "3", "4") else ()
    if types := tuple(sorted({*words.numbers, *limits} - {"0"})):
        yield Hit(types, False, False, "kogl-words", quote(run.text), run.owner, run.state)


def _has_picture(found: Sequence[Run], number: int) -> bool:
    """Whether a KOGL link or image is in this run or in a neighbour with the same parent."""
    here = found[number]
    for run in found[max(0, number - 1) : number + 2]:
        near = run.owner in (here.owner, here.owner.getparent()) or run.owner.getparent() is here.owner.getparent()
        linked = any(_CONTEXT.search(link.element.get("href") or "") and link.image for link in run.links)
        if near and (linked or any(_CONTEXT.search(_image_name(image)) for image, _ in run.images)):
            return True
    return False


def _links(run: Run, declared: bool) -> Iterator[Hit]:
    for link in run.links:
        licence = licence_from_url(link.element.get("href") or "") or ""
        if not licence.startswith("LicenseRef-KOGL-"):
            continue
        number = licence.removeprefix("LicenseRef-KOGL-")
        value = licence_from_text(link.text) or ""
        named = value.startswith("LicenseRef-KOGL-") and len(run.text) <= len(link.text.strip()) + MAX_CAPTION
        named = named and not (run.owner.tag in _LISTED and run.text == link.text.strip())
        marked = run.state.mark is not None and bool(_MARK_WORDS.search(link.text))  # "see more" is not a mark
        if link.image or declared or named or marked:
            types = () if number == "AI" else (number,)
            words = quote(link.element.get("href") or "", link.text)
            yield Hit(types, number == "AI", False, "kogl-link", words, link.element, run.state)
            if named and value != licence:
                other = kogl_words(link.text)
                yield Hit(other.types, other.ai, False, "kogl-link", words, link.element, run.state)


def _images(run: Run, declared: bool, date: str) -> Iterator[Hit]:
    for image, link in run.images:
        file, alternative = _image_name(image), " ".join(filter(None, (image.get("alt"), image.get("title"))))
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
            spoken.discard("0")  # the bare digit was in use before the type existed
        types = spoken | ({number} if number in ("1", "2", "3", "4") else set()) | ({"0"} if refused else set())
        ai = words.ai or number == "ai"
        if types or ai or refused:
            yield Hit(tuple(sorted(types)), ai, refused, "kogl-image", quote(file, alternative), image, run.state)


def _image_name(image: html.HtmlElement) -> str:
    return (image.get("src") or "").partition("?")[0].rpartition("/")[2]


def drop_legends(found: Sequence[Hit]) -> list[Hit]:
    """Return `found` without the links and images of blocks that show the types side by side.

    Such a block shows three types or more (two, if its words explain) in ascending order. Marks beside
    a sentence that declares the same type are kept; so are all contradictions.
    """
    shown = [hit for hit in found if not hit.declared]
    if len(shown) > MAX_SHOWN:
        return list(found)
    dropped: set[int] = set()
    for root, below in _find_shared_ancestors(shown):
        own = _own_block(below)
        samples = [hit for hit in below if hit not in own]
        if _is_legend(root, samples):
            dropped |= {id(hit) for hit in samples if not _is_anchored(hit, found)}
    return [hit for hit in found if id(hit) not in dropped]


def _own_block(below: Sequence[Hit]) -> list[Hit]:
    """Return the hits of the only mark block whose markup differs from all others and that names one type."""
    groups: dict[tuple[str, ...], list[Hit]] = {}
    for hit in below:
        groups.setdefault(() if hit.state.mark is None else tuple(names(hit.state.mark)), []).append(hit)
    single = [group for name, group in groups.items() if name and len({t for h in group for t in h.types}) == 1]
    return single[0] if len(single) == 1 and len(groups) > 1 else []


def _find_shared_ancestors(shown: Sequence[Hit]) -> list[tuple[html.HtmlElement, list[Hit]]]:
    """Return the lowest ancestor of each hit that contains two types or more, with the hits below it."""
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


def _is_anchored(hit: Hit, found: Sequence[Hit]) -> bool:
    """Whether a sentence beside the hit, or in the same mark block, declares the same type."""
    for other in found:
        if other.declared and set(hit.types) <= set(other.types):
            block = other.state.mark
            home = block if block is not None else other.element.getparent()
            if home is not None and (hit.types or block is not None) and _is_inside(hit.element, [home]):
                return True
    return False


def _is_inside(element: html.HtmlElement, roots: Sequence[html.HtmlElement]) -> bool:
    return any(ancestor is root for root in roots for ancestor in (element, *element.iterancestors()))
