"""Find on a web page what it says about the use of its text, as licence evidence.

Evidence, not a decision: contradictions come out side by side, and malmoi/rights.py decides. What
names a licence without declaring it for the page (prose, legends, quotations, samples, hidden
elements, captions of other people's pictures) is no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from lxml import html

from crawlers.rights import kogl, metadata
from crawlers.rights.declared import declared
from crawlers.rights.place import MAX_QUOTE, RELATIONS, Found, Link, Run, path, quote, runs, scope
from crawlers.rights.refusals import refusal
from malmoi.document import LicenceEvidence
from malmoi.licence_words import licence_from_text
from malmoi.licences import licence_from_url
from malmoi.rights import NONE, UNKNOWN
from malmoi.source import Item


class Tree(Protocol):
    """The part of a parsed page that is read here."""

    @property
    def tree(self) -> html.HtmlElement:  # noqa: D102
        ...


MAX_BLOCK = 30  # runs of a mark block
_LABEL = re.compile(
    r"(?:이용\s?조건|이용\s?허락\s?(?:범위)?|저작권\s?(?:정보|표시|유형)?|라이[선센]스|licen[cs]e|공공누리\s?(?:유형|표시)?|KOGL|CCL)"
    r"\s?[:：]?",
    re.I,
)
_NAMES_LICENCE = re.compile(r"유형|공공누리|KOGL|\bCC\b|CCL|저작자|라이[선센]스|licen[cs]e|GPL|public domain", re.I)
_CC_CLAUSE = (
    ("NC", re.compile(r"비\s?영리|non-?\s?commercial|\bBY-NC", re.I)),
    ("ND", re.compile(r"변경\s?금지|no-?\s?deriv|\bBY-(?:NC-)?ND", re.I)),
    ("SA", re.compile(r"동일\s?조건|share-?\s?alike|\bBY-(?:NC-)?SA", re.I)),
)
_OTHER_TYPE = re.compile(r"/(?:ImageObject|Photograph|VideoObject|AudioObject|MediaObject|Comment|Review)$")


def find(item: Item, page: Tree, *, labels: bool = False) -> tuple[LicenceEvidence, ...]:
    """The licence evidence of the page `page` of `item`, in document order, each thing once.

    With `labels` a line such as "라이선스: CC BY 4.0" declares, as it does in texts without markup.

    The licence of an evidence is an id of the table, "none" for an explicit refusal, or "unknown"
    for a licence that is declared but cannot be read. An empty answer means that nothing was
    said, which is not a permission. Nothing is raised and the tree is left as it is.
    """
    shown = runs(page.tree)
    paged = any(run.state.part == "item" for run in shown)
    found = [*metadata.find(page.tree, item.url), *_licence_links(shown, item.url), *_blocks(shown), *_fields(shown)]
    for hit in kogl.without_legends(kogl.hits(shown, item.date)):
        found += _of_hit(hit)
    found += [
        Found(licence, "sentence", quote(words), run.owner, run.state)
        for run in shown
        for licence, words in declared(run, labels=labels)
    ]
    granted = any(scope(f.state, paged) == "item" for f in found)
    found += _refusals(shown, granted)
    out: dict[tuple[str, str, str, str], LicenceEvidence] = {}
    for one in found:
        place, where = path(one.element), scope(one.state, paged)
        evidence = LicenceEvidence(one.licence, one.kind, where, one.quote, place, item.record)
        out.setdefault((one.licence, one.kind, where, place), evidence)
    return tuple(out.values())


def _of_hit(hit: kogl.Hit) -> Iterator[Found]:
    if hit.refused:
        yield Found(NONE, hit.kind, hit.quote, hit.element, hit.state)
    numbers = tuple(n for n in hit.types if not (hit.refused and n == "0"))
    for number in numbers:
        ai = "-AI" if hit.ai and hit.declared and number in "1234" else ""
        known = number in "01234"
        yield Found(f"LicenseRef-KOGL-{number}{ai}" if known else UNKNOWN, hit.kind, hit.quote, hit.element, hit.state)
    if hit.ai and not (hit.declared and numbers):
        yield Found("LicenseRef-KOGL-AI", hit.kind, hit.quote, hit.element, hit.state)


def _licence_links(shown: Sequence[Run], url: str) -> Iterator[Found]:
    blocks = _by_mark(shown)
    for run in shown:
        for link in run.links:
            rel = set((link.element.get("rel") or link.element.get("property") or "").lower().split())
            rel |= set((link.element.get("itemprop") or "").lower().split())
            marked = bool(rel & RELATIONS)
            media = (link.element.get("type") or "").lower()
            if run.state.quoted or "rsl" in media or _about_another(link.element, url):
                continue
            licence = licence_from_url(link.element.get("href") or "")
            kind = "rel-license" if marked else "mark-link"
            words = quote(link.element.get("href") or "", link.text)
            if licence and (marked or (run.state.mark is not None and not licence.startswith("LicenseRef-KOGL"))):
                yield Found(licence, kind, words, link.element, run.state)
                if _says_more(
                    licence,
                    _beside(blocks.get(run.state.mark, [run]) if run.state.mark is not None else [run], run, link),
                ):
                    yield Found(UNKNOWN, "licence-words", quote(run.text), run.owner, run.state)
            elif marked and licence is None and not metadata.speaks_of_many(link.element.get("href") or ""):
                yield Found(UNKNOWN, kind, words, link.element, run.state)


def _by_mark(shown: Sequence[Run]) -> dict[html.HtmlElement, list[Run]]:
    """The runs of each mark block; a block of more than MAX_BLOCK runs is no block."""
    blocks: dict[html.HtmlElement, list[Run]] = {}
    for run in shown:
        if run.state.mark is not None:
            blocks.setdefault(run.state.mark, []).append(run)
    return {mark: block for mark, block in blocks.items() if len(block) <= MAX_BLOCK}


def _beside(block: Sequence[Run], run: Run, link: Link) -> str:
    """The words around a licence link: its run, the other runs of its mark block, their images."""
    images = [(r, image, inside) for r in block for image, inside in r.images]
    alternatives = [image.get("alt") or "" for r, image, inside in images if r is not run or inside is link]
    near = [r.text for r in block if len(r.text) <= MAX_QUOTE]
    return " ".join((*near, *alternatives, link.element.get("title") or ""))


def _says_more(licence: str, words: str) -> bool:
    """Whether the words around a Creative Commons link name a clause that the linked licence has not."""
    clauses = set(licence.split("-"))
    return "CC" in clauses and any(name not in clauses and sign.search(words) for name, sign in _CC_CLAUSE)


def _about_another(element: html.HtmlElement, url: str) -> bool:
    """Whether RDFa or microdata around the element say that it is about something else than the page."""
    for above in (element, *element.iterancestors()):
        about = above.get("about") or above.get("resource") or ""
        if about and not about.startswith("#") and urlsplit(urljoin(url, about))[:4] != urlsplit(url)[:4]:
            return True
        if above.get("itemscope") is not None:
            return bool(_OTHER_TYPE.search(above.get("itemtype") or ""))
    return False


def _blocks(shown: Sequence[Run]) -> Iterator[Found]:
    """The words of a mark block that are a licence's name and nothing else, as blog widgets write them."""
    for run in shown:
        if run.state.mark is None:
            continue
        for words in (run.text, *(image.get("alt") or "" for image, _ in run.images)):
            licence = licence_from_text(words) if words else None
            if licence and not licence.startswith("LicenseRef-KOGL"):
                yield Found(licence, "licence-words", quote(words), run.owner, run.state)
            elif licence and words == run.text and not licence.endswith("-0"):
                yield Found(licence, "kogl-words", quote(words), run.owner, run.state)


def _fields(shown: Sequence[Run]) -> Iterator[Found]:
    """A labelled cell: 이용조건 | 공공누리 제1유형, in tables and definition lists."""
    for run in shown:
        before = run.owner.getprevious() if run.owner.tag in ("td", "dd") else None
        if before is None or before.tag not in ("th", "td", "dt") or not run.text:
            continue
        label = " ".join(before.text_content().split())[:100]
        if not _LABEL.fullmatch(label):
            continue
        licence = licence_from_text(run.text) or licence_from_text(f"{label.rstrip(':： ')} {run.text}")
        if licence == "LicenseRef-KOGL-0" and "공공누리" not in f"{label} {run.text}":
            licence = None
        if licence or _NAMES_LICENCE.search(run.text):
            yield Found(licence or UNKNOWN, "field", quote(label, run.text), run.owner, run.state)


def _refusals(shown: Sequence[Run], granted: bool) -> Iterator[Found]:
    """Refusing sentences; that all rights are reserved goes without saying beside a licence and in a footer."""
    for run in shown:
        what = refusal(run)
        if what == "reserved" and (granted or run.state.part != "item"):
            continue
        if what:
            yield Found(NONE, f"refusal-{what}", quote(run.text), run.owner, run.state)
