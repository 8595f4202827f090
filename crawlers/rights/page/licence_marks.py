"""Find licence evidence on a web page.

Evidence, not a decision: contradictions are all returned, and malmoi/licensing/rights_decision.py decides. Words that
name a licence without declaring it for the page (prose, legends, quotations, samples, hidden
elements, captions of pictures by others) are not evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from urllib.parse import urlsplit

from lxml import html

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import MAX_AROUND, MAX_QUOTE, RELATIONS, Link, PageEvidence, Run, path, quote, scope
from crawlers.rights.page import head_metadata, kogl_marks, labelled_cells, public_domain
from crawlers.rights.page.applies_to import drop_foreign_grants, is_grant
from crawlers.rights.page.listing_cards import drop_cards
from crawlers.rights.page.preview_cards import drop_previews
from crawlers.rights.prefilter import gate, may_match_any
from crawlers.rights.refusals import is_about_work, may_refuse, refusal
from crawlers.rights.sentences import authorship
from crawlers.rights.sentences.declarations import (
    find_cell_licence,
    find_declarations,
    has_other_clause,
    is_bare,
    is_declaration,
    may_declare,
    strip_holder,
)
from crawlers.rights.sentences.kogl_sentences import Hit
from crawlers.rights.sentences.subject import Subject, find_subject, is_doubtful
from crawlers.web.addresses import join_url
from malmoi.document import LicenceEvidence
from malmoi.licensing.licence_words import fold, licence_from_text
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.rights_decision import NONE, UNKNOWN, terms
from malmoi.source import Item

MAX_END_LINES = 3  # of a text without markup, where a bare name is accepted
MAX_BLOCK_WORDS = 60  # code points of such a line
MAX_LINKS = 24  # of one run that are read for their licence
MAX_CLAUSE = 30  # code points of a line beside a licence that is a clause of it
MAX_BLOCK = 30  # runs of a mark block
_BADGE = re.compile(
    r"\bcc\b|\bccl|\bby\b|\bsa\b|licen[cs]e|creative ?commons|88x31|80x15|저작자|동일조건|공공누리|kogl"
    r"|opentype|opencode",
    re.I,
)
_TITLES = re.compile(r"(?:dct|dc|dcterms):title|cc:attribution", re.I)
_SAYS_OF = re.compile(r"[가-힣](?:은|는)\s|\b(?:is|are)\b|\bby\s(?!\d)\w", re.I)
_DATE = re.compile(r"\b\d{4}\s?[-./년]\s?\d{1,2}")
_BETWEEN = re.compile(r"[·|•—–]")
_LAST = re.compile(r"(?<=[.!?。])\s+(?=\D)")
MAX_ORIGINAL = 600  # code points of a run that may name the licence of an original
_ORIGINAL = re.compile(r"원문|원저작|원작|원글|번역\s?원|\boriginal\b|\bsource text\b", re.I)
_may_name_original = gate(_ORIGINAL)
_CLOSED = re.compile(
    r"(?:원문|원저작물?|원작|원글|original)[^.]{0,60}"
    r"(?:BY-N[CD]|비\s?영리|변경\s?금지|무단\s?(?:전재|복제)|all rights reserved)",
    re.I,
)
_OTHER_TYPE = re.compile(
    r"/(?:ImageObject|Photograph|Dataset|DataDownload|Software\w{0,20}|Map|Music\w{0,20}|Product|Movie|Painting|VideoObject|AudioObject|MediaObject|Comment|Review)$"
)


def find(item: Item, page: Page, *, labels: bool = False) -> tuple[LicenceEvidence, ...]:
    """Return the licence evidence of the page `page` of `item`, in document order, without duplicates.

    With `labels`, a line such as "라이선스: CC BY 4.0" declares, as it does in texts without markup.

    The licence of an evidence is an id of the table, "none" for an explicit refusal, or "unknown"
    for a licence that is declared but cannot be read. An empty result means that no statement was
    found, which is not a permission. Raises nothing; does not change the tree.
    """
    shown = page.runs
    paged = any(run.state.part == "item" for run in shown)
    found = [
        *head_metadata.find(page.tree, item.url),
        *_licence_links(shown, item.url),
        *_originals(shown),
        *_blocks(shown),
        *labelled_cells.find(shown, item.date),
    ]
    for hit in kogl_marks.drop_legends(kogl_marks.hits(shown, item.date)):
        found += _convert_hit(hit)
    found += [
        PageEvidence(licence, "sentence", quote(words), run.owner, run.state)
        for number, run in enumerate(shown if labels or may_declare(shown) else ())
        for licence, words in find_declarations(run, labels=labels, before=shown[number - 1].text if number else "")
    ]
    if labels:
        found += _find_end_marks(shown)
    found += public_domain.find(shown, item.url)
    found = drop_foreign_grants(drop_cards(found, shown), shown)
    found = drop_previews(found, shown, item.url)
    granted = any(scope(f.state, paged) == "item" for f in found)
    found += [
        *_refusals(shown, granted, bool(found)),
        *authorship.find(page.tree, shown, list(filter(is_grant, found))),
    ]
    out: dict[tuple[str, str, str, str], LicenceEvidence] = {}
    for one in found:
        place, where = path(one.element), scope(one.state, paged)
        evidence = LicenceEvidence(one.licence, one.kind, where, one.quote, place, item.record)
        out.setdefault((one.licence, one.kind, where, place), evidence)
    return tuple(out.values())


def _find_end_marks(shown: Sequence[Run]) -> Iterator[PageEvidence]:
    """Yield lines at the beginning or end of a text that consist of the name of a KOGL mark."""
    last = max(MAX_END_LINES, len(shown) - MAX_END_LINES)
    for one in (*shown[:MAX_END_LINES], *shown[last:]):
        licence = licence_from_text(one.text) if "공공누리" in one.text and len(one.text) <= MAX_BLOCK_WORDS else None
        if licence and not licence.endswith("-0"):
            yield PageEvidence(licence, "kogl-words", quote(one.text), one.owner, one.state)


def _convert_hit(hit: Hit) -> Iterator[PageEvidence]:
    if hit.refused:
        yield PageEvidence(NONE, hit.kind, hit.quote, hit.element, hit.state)
    numbers = tuple(n for n in hit.types if not (hit.refused and n == "0"))
    for number in numbers:
        ai = "-AI" if hit.ai and hit.declared and number in "1234" else ""
        known = number in "01234"
        yield PageEvidence(
            f"LicenseRef-KOGL-{number}{ai}" if known else UNKNOWN, hit.kind, hit.quote, hit.element, hit.state
        )
    if hit.ai and not (hit.declared and numbers):
        yield PageEvidence("LicenseRef-KOGL-AI", hit.kind, hit.quote, hit.element, hit.state)


def _licence_links(shown: Sequence[Run], url: str) -> Iterator[PageEvidence]:
    blocks: dict[html.HtmlElement, list[Run]] | None = None
    known: dict[html.HtmlElement, bool] = {}
    for number, run in enumerate(shown):
        if run.state.quoted:
            continue
        for link in run.links if len(run.links) <= MAX_LINKS else _select_links(run.links):
            element = link.element
            address = element.get("href") or ""
            rel = f"{element.get('rel') or element.get('property') or ''} {element.get('itemprop') or ''}"
            marked = "licen" in rel.lower() and not RELATIONS.isdisjoint(rel.lower().split())
            licence = licence_from_url(address) if marked or run.state.mark is not None else None
            if not marked and licence is None:
                continue
            if "rsl" in (element.get("type") or "").lower() or _is_about_another(element, url, known):
                continue
            kind = "rel-license" if marked else "mark-link"
            words = quote(address, link.text)
            if licence and (marked or not licence.startswith("LicenseRef-KOGL")):
                subject, sentence = _subject(shown, number, link)
                if subject in ("media", "software"):
                    continue  # the licence of a picture, of the theme, of the software
                software = "CC" not in licence and run.state.part == "site" and subject != "own"
                if software and not is_declaration(sentence, run):
                    continue  # MIT in a footer usually applies to the code of the site
                sure = not is_doubtful(sentence) and _is_declared(run, subject, sentence, link)
                yield PageEvidence(licence if sure else UNKNOWN, kind, words, element, run.state)
                blocks = _group_by_mark(shown) if blocks is None else blocks
                block = blocks.get(run.state.mark, [run]) if run.state.mark is not None else _nearby_runs(shown, number)
                if has_other_clause(licence, _words_beside(block, run, link)):
                    yield PageEvidence(UNKNOWN, "licence-words", quote(run.text), run.owner, run.state)
            elif marked and licence is None and not head_metadata.is_family_page(address):
                yield PageEvidence(UNKNOWN, kind, words, element, run.state)


def _originals(shown: Sequence[Run]) -> Iterator[PageEvidence]:
    """Yield `unknown` if the text derives from a work whose licence is not open: an adaptation cannot grant more."""
    for run in shown if may_match_any(_may_name_original, (run.text for run in shown)) else ():
        if run.state.quoted or len(run.text) > MAX_ORIGINAL or not _ORIGINAL.search(run.text):
            continue
        linked = (licence_from_url(link.element.get("href") or "") for link in run.links[:MAX_LINKS])
        closed = any(licence and (found := terms(licence)) and found.use == "exclude" for licence in linked)
        if closed or _CLOSED.search(run.text):
            yield PageEvidence(UNKNOWN, "original", quote(run.text), run.owner, run.state)


def _is_declared(run: Run, subject: Subject, sentence: str, link: Link) -> bool:
    """Whether the words around a link apply its licence to the text, rather than to something unnamed.

    In a mark block, or with almost no words around it, the link is enough; so it is in a sentence
    that declares, and in the markup that Creative Commons supplies, which names the work by its title.
    """
    if labelled_cells.label_of(run) and find_cell_licence(run):
        return True
    if run.state.mark is not None or is_bare(sentence.replace(fold(link.text), " ", 1)):
        return True
    if run.state.part == "site":
        rest = strip_holder(sentence.replace(fold(link.text), " ", 1))
        if subject == "own" or is_declaration(sentence, run) or not _SAYS_OF.search(rest):
            return True
    elif _DATE.search(run.text):  # a byline: author, date, licence
        before, after = run.words_around(link)
        if is_bare(_BETWEEN.split(before)[-1] + " " + _BETWEEN.split(after)[0]):
            return True
    return is_declaration(sentence, run) or any(_TITLES.search(_property(link)) for link in _properties(run.owner))


def _properties(block: html.HtmlElement) -> list[html.HtmlElement]:
    return [one for _, one in zip(range(MAX_BLOCK), block.iter(), strict=False) if isinstance(one.tag, str)]


def _property(element: html.HtmlElement) -> str:
    return f"{element.get('property') or ''} {element.get('rel') or ''} {element.get('itemprop') or ''}"


def _select_links(links: Sequence[Link]) -> list[Link]:
    """Select the first licence links of a run with very many links; more are a list, and disagree or repeat."""
    known = (link for link in links if licence_from_url(link.element.get("href") or "") or link.element.get("rel"))
    return [link for _, link in zip(range(MAX_LINKS), known, strict=False)]


def _subject(shown: Sequence[Run], number: int, link: Link) -> tuple[Subject, str]:
    """Return the subject of the licence of a link, and the sentence around it; an adjacent picture is a subject too."""
    run = shown[number]
    before, after = run.words_around(link)
    for other in run.links[:MAX_LINKS]:  # words before another licence of the same run belong to that one
        if other.end <= link.begin and other is not link and licence_from_url(other.element.get("href") or ""):
            between = run.words_between(other.end, link.begin)[-MAX_AROUND:]
            before = between if re.search(r"\w", between) else before
    subject = find_subject(before, after)
    if not subject and not _is_own(shown, number, link):
        subject = "media"
    sentence = f"{_LAST.split(before)[-1]} {fold(link.text)} {_LAST.split(after)[0]}"
    return subject, sentence


def _is_own(shown: Sequence[Run], number: int, link: Link) -> bool:
    """Whether no neighbour of a link without words makes it the licence of a picture."""
    run = shown[number]
    if run.state.mark is not None:
        return True
    pictures = [image for image, inside in run.images if inside is not link and not _is_badge(image)]
    if pictures and run.state.part != "site":
        return False
    before = shown[number - 1] if number else None
    if before is None:
        return True
    picture = not before.text and any(not _is_badge(image) for image, _ in before.images)
    if picture and run.state.part == "item" and before.owner.getparent() is run.owner.getparent():
        return False  # a line below a picture
    return before.owner is not run.owner or find_subject(before.text[-200:]) != "media"


def _is_badge(image: html.HtmlElement) -> bool:
    return bool(_BADGE.search(f"{image.get('src') or ''} {image.get('alt') or ''} {image.get('class') or ''}"))


def _badge_kind(image: html.HtmlElement) -> str:
    """Return the kind of licence in the address of a Creative Commons badge: /l/by-nc/4.0/88x31.png."""
    match = re.search(r"/(by(?:-(?:nc|nd|sa)){1,2})[/._]", (image.get("src") or "").lower()[:500])
    return match[1] if match else ""


def _nearby_runs(shown: Sequence[Run], number: int) -> list[Run]:
    """Return a run and its short neighbours with the same parent, which may hold a separate clause: 변경 금지."""
    run = shown[number]
    near = shown[max(0, number - 1) : number + 2]
    parent, part = run.owner.getparent(), run.state.part
    short = [one for one in near if len(one.text) <= MAX_CLAUSE and one.state.part == part]
    return [run, *(one for one in short if one is not run and one.owner.getparent() is parent)]


def _group_by_mark(shown: Sequence[Run]) -> dict[html.HtmlElement, list[Run]]:
    """Group the runs by mark block; blocks of more than MAX_BLOCK runs are left out."""
    blocks: dict[html.HtmlElement, list[Run]] = {}
    for run in shown:
        if run.state.mark is not None:
            blocks.setdefault(run.state.mark, []).append(run)
    return {mark: block for mark, block in blocks.items() if len(block) <= MAX_BLOCK}


def _words_beside(block: Sequence[Run], run: Run, link: Link) -> str:
    """Return the words around a licence link: its run, the other runs of its mark block, their images."""
    images = [(r, image, inside) for r in block for image, inside in r.images]
    own = [image for r, image, inside in images if r is not run or inside is link]
    alternatives = [f"{one.get('alt') or ''} {_badge_kind(one)}" for one in own]
    near = [r.text for r in block if len(r.text) <= MAX_QUOTE]
    return " ".join((*near, *alternatives, link.element.get("title") or ""))


def _is_about_another(element: html.HtmlElement, url: str, known: dict[html.HtmlElement, bool]) -> bool:
    """Whether RDFa or microdata around the element assign it to something other than the page."""
    passed, said = [], False
    for above in chain((element,), element.iterancestors()):
        if above in known:
            said = known[above]
            break
        passed.append(above)
        about = above.get("about") or above.get("resource") or ""
        if about and not about.startswith("#") and urlsplit(join_url(url, about))[:4] != urlsplit(url)[:4]:
            said = True
            break
        if above.get("itemscope") is not None:
            said = bool(_OTHER_TYPE.search(above.get("itemtype") or ""))
            break
    known |= dict.fromkeys(passed, said)  # the ancestors that were searched have the same answer
    return said


def _blocks(shown: Sequence[Run]) -> Iterator[PageEvidence]:
    """Yield licences from the words of a mark block that consist of a licence name, as blog widgets write them."""
    for run in shown:
        if run.state.mark is None:
            continue
        for words in (run.text, *(image.get("alt") or "" for image, _ in run.images)):
            licence = licence_from_text(words) if words else None
            if licence and not licence.startswith("LicenseRef-KOGL"):
                yield PageEvidence(licence, "licence-words", quote(words), run.owner, run.state)
            elif licence and words == run.text and not licence.endswith("-0"):
                yield PageEvidence(licence, "kogl-words", quote(words), run.owner, run.state)


def _refusals(shown: Sequence[Run], granted: bool, marked: bool) -> Iterator[PageEvidence]:
    """Yield refusing sentences; "all rights reserved" is ignored beside a licence and in a footer.

    `granted`: the item has a licence; `marked`: the page has one anywhere.
    """
    for run in shown if may_refuse(shown) else ():
        what = refusal(run)
        if what == "reserved" and (granted or run.state.part != "item"):
            continue
        # Beside a licence each such word counts; in the prose of a page without one it must be about a work.
        plain = run.state.mark is None and not marked
        if what in ("limits", "commercial") and plain and not is_about_work(run.text):
            continue
        if what:
            yield PageEvidence(NONE, f"refusal-{what}", quote(run.text), run.owner, run.state)
