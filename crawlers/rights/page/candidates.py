"""Find everything on a page that names a licence or sounds open, with its element, place and words.

Candidates prove nothing: `page_proofs` picks those that are a proof at a declared place. The others lead to a review
of a document without proof, and on the item they contradict another licence. Hidden and quoted text is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lxml import html

from crawlers.formats.html.runs import MAX_AROUND, MAX_QUOTE, RELATIONS, PageEvidence, Run, State, quote
from crawlers.rights.page.beside import is_beside
from crawlers.rights.prefilter import gate, may_match_any
from crawlers.rights.rule_files import load
from malmoi.licensing.licence_words import NO_DERIVATIVES, NON_COMMERCIAL, licence_from_text
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.named_licences import AFTER, MENTION, read_mentions
from malmoi.licensing.rights_decision import UNKNOWN

MAX_LINKS = 40  # of one run that are read; more are a list
MAX_SENTENCE = 400  # code points of a run that may declare; a longer one is prose
MAX_OWN = 80  # code points of a run that is the name of a licence and little else
MAX_REST = 14  # letters of it beside the name
_DATA, _compile = load("candidates.toml")
NAMED, SELF, OWN, GIVES, OPEN, PART, OTHER_WORK, CLOSED = (
    _compile([_DATA[name]["pattern"]])[0]
    for name in ("named", "self", "own", "gives", "open", "part", "other_work", "closed")
)
_CC = re.compile(_DATA["words"]["cc"], re.I)
_BADGE = re.compile(r"/(?:l|licenses|i)/(?P<kind>by(?:-(?:nc|nd|sa)){0,2}|zero)/(?P<version>[1-4]\.[05])", re.I)
_may_sound = gate(NAMED, OPEN)


def find(shown: Sequence[Run], url: str = "", *, plain: bool = True) -> Iterator[PageEvidence]:
    """Yield the links, badges and sentences of a page that name a licence; KOGL facts are those of `kogl_block`.

    With `plain`, a link in prose that speaks of something else than the page is of the kind `words`.
    """
    for run in shown:
        if run.links or run.images:
            for one in (*_links(run, plain=plain), *_badges(run)):
                yield lay_aside(one, url)
    for run in shown if may_match_any(_may_sound, (run.text for run in shown)) else ():
        if run.text and len(run.text) <= MAX_SENTENCE and _may_sound(run.text):
            yield from (lay_aside(one, url) for one in read_sentence(run))


def _links(run: Run, *, plain: bool) -> Iterator[PageEvidence]:
    end = 0  # of the last licence link: words before it speak of that one
    for link in run.links[:MAX_LINKS]:
        address = link.element.get("href") or ""
        marked = is_marked(link.element)
        licence = licence_from_url(address)
        if (not marked and licence is None) or (licence or "").startswith("LicenseRef-KOGL"):
            continue
        before = run.words_between(end, link.begin)[-MAX_AROUND:]
        kind = "words" if PART.search(before) or (plain and not marked and not _is_mark(run)) else "link"
        end = link.end
        yield PageEvidence(licence or UNKNOWN, kind, quote(address, link.text), link.element, run.state)


def _is_mark(run: Run) -> bool:
    return run.state.mark is not None or run.state.part == "site" or speaks_of_page(run.text)


def is_marked(element: html.HtmlElement) -> bool:
    """Whether an element is a link with rel=license that is not a link to RSL terms."""
    rel = f"{element.get('rel') or ''} {element.get('property') or ''} {element.get('itemprop') or ''}".lower()
    return "licen" in rel and not RELATIONS.isdisjoint(rel.split()) and "rsl" not in (element.get("type") or "").lower()


def _badges(run: Run) -> Iterator[PageEvidence]:
    for image, inside in run.images[:MAX_LINKS]:
        if inside is not None and licence_from_url(inside.element.get("href") or ""):
            continue  # the link says it
        source, alternative = image.get("src") or "", image.get("alt") or ""
        badge = _BADGE.search(source[:500])
        licence = (
            licence_from_url(f"https://creativecommons.org/licenses/{badge['kind']}/{badge['version']}/")
            if badge
            else None
        )
        licence = licence or licence_from_text(alternative)
        if licence and not licence.startswith("LicenseRef-KOGL"):
            yield PageEvidence(licence, "image", quote(source, alternative), image, run.state)


def read_sentence(run: Run) -> Iterator[PageEvidence]:
    """Yield what a short run says: `sentence` if it speaks of its own text or names a licence and nothing else."""
    text = run.text
    licences, end = list[tuple[str, str, str | None]](), 0
    for match, licence in read_mentions(text):
        # Cut at its end, a quotation would lose the last licence that a long sentence names.
        shown = text[max(0, match.end() + AFTER - MAX_QUOTE) :]
        licences.append((text[end : match.start()], shown, licence))
        end = match.end()
    licences = [one for one in licences if not (one[2] or "").startswith("LicenseRef-KOGL")]
    rest = re.sub(r"[\W\d_]+", "", NAMED.sub("", MENTION.sub("", text)))
    bare = len(text) <= MAX_OWN and len(rest) <= MAX_REST and bool(NAMED.search(text))
    own = bare or bool(SELF.search(text) and GIVES.search(text))
    if own and not bare and not licences and _is_closed(text):
        yield PageEvidence("none", "refusal-limits", quote(text), run.owner, run.state)
    elif licences and (own or GIVES.search(text)):
        for before, shown, licence in licences:
            kind = "sentence" if own and not PART.search(before) else "words"
            yield PageEvidence(licence or UNKNOWN, kind, quote(shown), run.owner, run.state)
    elif not run.links and ((NAMED.search(text) and (own or GIVES.search(text))) or OPEN.search(text)):
        yield PageEvidence("none" if bare and _is_closed(text) else UNKNOWN, "words", quote(text), run.owner, run.state)


def speaks_of_page(words: str) -> bool:
    """Whether the words around a licence link are nothing but its name, or begin with the page itself.

    >>> speaks_of_page("CC BY 4.0"), speaks_of_page("이 글은 라이선스에 따라"), speaks_of_page("원문은 CC BY")
    (True, True, False)
    """
    rest = re.sub(r"[\W\d_]+", "", NAMED.sub("", MENTION.sub("", words)))
    own = OWN.match(words.lstrip("※*·-©(Cc) ")[:200])
    return not PART.search(words) and (not rest or bool(own and GIVES.search(words)))


def is_closed(words: str) -> bool:
    """Whether words beside a licence forbid commercial use or changes."""
    return bool(NON_COMMERCIAL.search(words) or NO_DERIVATIVES.search(words) or CLOSED.search(words))


def _is_closed(text: str) -> bool:
    """Whether a sentence names a Creative Commons licence that allows no commercial use or no changes."""
    return bool(_CC.search(text)) and is_closed(text)


def lay_aside(one: PageEvidence, url: str = "") -> PageEvidence:
    """Return a candidate with the state of the site if it is in a card, list or box about something else."""
    return replace(one, state=State("site")) if one.state.part != "site" and is_beside(one.element, url) else one
