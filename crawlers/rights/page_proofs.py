"""Pick the proofs among what a page says: those of the exact shape at the place that the source declares.

On pages that no source declares, proofs have kinds `web:…`: they count only if a recipe trusts them by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote, urlsplit

from lxml import html
from lxml.cssselect import CSSSelector

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import PageEvidence, Run, State, is_hidden, is_quoting, quote, runs, scope
from crawlers.formats.html.runs import path as path_of
from crawlers.rights import candidates, kogl_block
from crawlers.rights.candidates import MAX_CLIMB, is_beside
from crawlers.rights.rules import gate, is_matched
from crawlers.web.addresses import covers
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.licence_words import fold, licence_from_text
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.proofs import PROOFS, WEB
from malmoi.licensing.rights_decision import NONE, UNKNOWN, terms
from malmoi.source import Item, LicenceRule

_TEXTS = ("CC", "LicenseRef-CC", "LicenseRef-KOGL")  # licences of texts; others are those of software, or expected


def find(item: Item, page: Page, rule: LicenceRule, publisher: str = "") -> tuple[LicenceEvidence, ...]:
    """Return the proofs, candidates and marks of *not free* on `page`, in document order, without duplicates."""
    shown = page.runs
    paged = any(run.state.part == "item" for run in shown)
    titles = _read_titles(page.tree, item)
    facts = list(kogl_block.find_facts(shown, titles, publisher, item.date))
    loose = list(candidates.find(shown, item.url))
    head = list(candidates.find_in_head(page.tree, item.url))
    stated = list(_find_statutes(shown, item.url, rule))
    # The licence of the JSON-LD node that is the page.
    nodes = [one for one in head if one.kind == "json-ld" and one.state.part == "item"]
    found = nodes[:1] if len({one.licence for one in nodes}) == 1 else []
    if rule.proofs:
        found = found if "json-ld" in rule.proofs else []
        found += _prove_head(head, select(page.tree, rule.selector, item.url), rule)
        place = _find_place(page, rule, item.url)
        if place is not None and "kogl-block" in rule.proofs:
            found += place.prove_kogl(titles, publisher, item.date)
        if place is not None and "rel-license" in rule.proofs:
            found += place.prove_links(rule.expected)
    else:
        web = [replace(one, kind=f"{WEB}json-ld") for one in found]
        found = [*_prove_web_kogl(facts, shown, item.url), *_prove_web_links([*loose, *head], shown, item.url), *web]
    # An unread cell in which a statute was read states an expired term, which names no licence.
    cells = _find_cells(shown, rule.fields, item.date)
    said = {one.element for one in stated}
    found += [*stated, *(one for one in cells if one.licence != UNKNOWN or one.element not in said)]
    proven = {inside for one in found if one.kind != "field" for inside in one.element.iter()}
    said = {fact.element for fact in facts}
    head = [replace(one, kind="metadata") if one.kind == "json-ld" else one for one in head]
    rest = [candidates.lay_aside(kogl_block.candidate(fact), item.url) for fact in facts]
    rest += [one for one in (*loose, *head) if one.licence != UNKNOWN or one.element not in said]
    licences = " ".join(one.licence for one in found)
    rest = [one for one in rest if one.element not in proven or one.licence not in f"{licences} {UNKNOWN}"]
    out: dict[tuple[str, str, str, str], LicenceEvidence] = {}
    for one in (*found, *rest):
        where, at = path_of(one.element), scope(one.state, paged)
        evidence = LicenceEvidence(one.licence, one.kind, at, one.quote, where, item.record)
        out.setdefault((one.licence, one.kind, at, where), evidence)
    return tuple(out.values())


def _prove_head(
    head: Sequence[PageEvidence], places: Sequence[html.HtmlElement], rule: LicenceRule
) -> Iterator[PageEvidence]:
    """Yield the licence of `link rel=license` in the head, if the source declares the head or the link."""
    links = [one for one in head if one.kind == "link" and one.element.tag == "link" and one.licence != UNKNOWN]
    declared = [one for one in links if any(above in places for above in (one.element, *one.element.iterancestors()))]
    if "rel-license" in rule.proofs and len({one.licence for one in declared}) == 1:
        yield replace(declared[0], kind="rel-license")


# The place that a source declares, and the open web.
MAX_PLACES = 20  # elements that a selector may name on a page; more are a list
MAX_PLACE = 1_200  # code points of a place; a longer one is content
MAX_FACTS = 40  # facts of a page without a declared place that are read; more are a list
MAX_TITLES = 12  # headings of a page that are read
MAX_LABEL = 24  # code points of the label of a mark
_HEADS = frozenset(("head", "script", "link", "meta"))
_UNSEEN = frozenset(("template", "noscript", "dialog", "select", "textarea"))
_WHOLE = frozenset(("article", "main", "body", "html"))
_QUOTED = {"figure": "div", "figcaption": "div", "label": "span", "q": "span"}  # a mark may be in them at its own place


def select(tree: html.HtmlElement, selector: Sequence[tuple[str, str]], url: str) -> list[html.HtmlElement]:
    """Return the elements that the first selector whose address prefix covers `url` names, [] if too many."""
    css = next((css for prefix, css in selector if not prefix or covers(prefix, url)), "")
    found = compile_selector(css)(tree) if css else []
    return found if len(found) <= MAX_PLACES else []


@lru_cache(maxsize=256)
def compile_selector(css: str) -> Callable[[html.HtmlElement], list[html.HtmlElement]]:
    """Return the function that selects; raises cssselect.SelectorError if `css` is not a selector."""
    path = CSSSelector(css, translator="html")
    return lambda tree: list(path(tree))  # type: ignore[arg-type]


def _read_titles(tree: html.HtmlElement, item: Item) -> tuple[str, ...]:
    """Return the titles of a page: of its item, its head and its headings."""
    headings = islice(tree.iter("title", "h1", "h2", "h3"), MAX_TITLES)
    meta = (one.get("content") or "" for one in tree.iter("meta") if one.get("property") == "og:title")
    said = (item.title, *(one.text_content() for one in headings), *islice(meta, 1))
    whole = [" ".join(one.split())[:300] for one in said]
    parts = [part.strip() for one in whole for part in re.split(r"\s[|<>:·–-]\s", one)]
    return tuple(dict.fromkeys(filter(None, (*whole, *parts))))


def _find_place(page: Page, rule: LicenceRule, url: str) -> _Place | None:
    """Return the only element in the body that the source declares for a page; None if there are none or several.

    Several are those of several works: a page lists them, and no mark there is known to be its own.
    """
    found = [one for one in select(page.tree, rule.selector, url) if one.tag not in _HEADS]
    outer = [one for one in found if not any(above in found for above in one.iterancestors())]
    if len(outer) != 1 or is_beside(outer[0], url, declared=True):
        return None
    if any(one.tag in _UNSEEN or is_hidden(one) for one in (outer[0], *outer[0].iterancestors())):
        return None
    return _Place(outer[0], page.runs, url)


class _Place:
    """A declared element with its own runs, in which figures and labels are read as well."""

    def __init__(self, element: html.HtmlElement, shown: Sequence[Run], url: str) -> None:
        self.element, self.shown, self.url = element, shown, url
        inside = set(element.iter())
        numbers = [number for number, run in enumerate(shown) if run.owner in inside]
        self.state = shown[numbers[0]].state if numbers else State("item")
        self.after = shown[numbers[-1] + 1 : numbers[-1] + 3] if numbers else []
        copy = deepcopy(element)
        copy.tail = None
        for one in copy.iter(*_QUOTED):
            one.tag = _QUOTED[one.tag]
            one.attrib.pop("class", None)
        self.runs = runs(copy)
        self.wide = element.tag in _WHOLE or sum(len(run.text) for run in self.runs) > MAX_PLACE

    def prove_kogl(self, titles: Sequence[str], publisher: str, date: str) -> Iterator[PageEvidence]:
        """Yield the proof of the block at the place."""
        facts = list(kogl_block.find_facts(self.runs, titles, publisher, date))
        facts = [fact for fact in facts if not is_beside(fact.element, self.url)] if self.wide else facts
        if self.wide and not (facts and kogl_block.is_last(facts, self.runs)):
            return
        if not self.is_of_part(facts) and not kogl_block.is_limited(facts, [*self.runs, *self.after]):
            yield from (replace(one, element=self.element, state=self.state) for one in kogl_block.prove(facts))

    def prove_links(self, expected: Sequence[str]) -> Iterator[PageEvidence]:
        """Yield the proof of the licence links at the place."""
        said = candidates.find(self.runs, self.url, plain=False)
        links = [one for one in said if one.kind == "link" and one.licence != UNKNOWN]
        words = _LinkWords(self.runs)
        licence = words.join_licences(links)
        known = licence.startswith(_TEXTS) or licence in expected
        speaks = words.speaks_for_page if self.wide else words.is_undisputed
        labels = (run.text for run in self.runs if not run.links and len(run.text) <= MAX_LABEL)
        if (
            licence
            and known
            and not any(map(kogl_block.names_part, labels))
            and all(speaks(one, self.url) and words.agrees(one) for one in links)
        ):
            yield replace(links[0], kind="rel-license", licence=licence, element=self.element, state=self.state)

    def is_of_part(self, facts: Sequence[kogl_block.Fact]) -> bool:
        """Whether a label at the place gives the mark to a part, or another line there has other terms."""
        own = {id(fact.run) for fact in facts}
        others = [run.text for run in self.runs if id(run) not in own]
        labels = [text for text in others if len(text) <= MAX_LABEL]
        return any(map(kogl_block.names_part, labels)) or any(map(kogl_block.has_other_terms, others))


def _prove_web_kogl(facts: Sequence[kogl_block.Fact], shown: Sequence[Run], url: str) -> Iterator[PageEvidence]:
    """Yield the proof of a block in the footer of the main content, outside lists and tables."""
    if not facts or kogl_block.is_limited(facts, shown):
        return
    here = [fact for fact in facts[:MAX_FACTS] if fact.run.state.part != "site" and not is_beside(fact.element, url)]
    paged = any(run.state.part == "item" for run in shown)
    if not here or (paged and any(fact.run.state.part != "item" for fact in here)):
        return
    chains = ((fact.element, *fact.element.iterancestors()) for fact in here)
    if not any(above.tag in ("td", "li", "dd") for chain in chains for above in chain) and kogl_block.is_last(
        here, shown
    ):
        yield from kogl_block.prove(here, kind=f"{WEB}kogl-block")


def _prove_web_links(loose: Sequence[PageEvidence], shown: Sequence[Run], url: str) -> Iterator[PageEvidence]:
    """Yield the proof of the only licence that links with rel=license name."""
    links = [one for one in loose if one.kind == "link" and one.element.get("href") and one.licence != UNKNOWN]
    marked = [one for one in links if candidates.is_marked(one.element)]
    alone = len({one.licence for one in marked}) == 1 and marked[0].licence.startswith(_TEXTS)
    if alone and _LinkWords(shown).speaks_for_page(marked[0], url):
        yield replace(marked[0], kind=f"{WEB}rel-license")


MAX_LICENCES = 40  # licence links of a place; more are a list
MAX_CLAUSE = 30  # code points of a line beside a licence that is a clause of it
_WORK_LABEL = re.compile(r"(?:^|[.|·•\n]) ?([^:：.|·•]{1,30})[:：][^:：.]{0,60}$")  # Game art: "Rainy Tiles", CC BY 4.0
_OWN_LABEL = re.compile(
    r"라이[선센]스|licen[cs]e|ライセンス|이용 ?(?:조건|허락)|저작권|copyright|CCL?|글|텍스트|본문|문서|text|content|©",
    re.I,
)
_CHOICE = re.compile(r"또는|혹은|하나를|골라|선택|\beither\b|\bor\b|dual", re.I)


class _LinkWords:
    """The runs of a page or a place: whether the words around its licence links speak for it and agree with them."""

    def __init__(self, shown: Sequence[Run]) -> None:
        self.shown = shown
        self.number = {link.element: number for number, run in enumerate(shown) for link in run.links}

    def join_licences(self, links: Sequence[PageEvidence]) -> str:
        """Return the one licence of some links, or the expression of two in one line that lets choose; else ""."""
        names = sorted({one.licence for one in links})
        numbers = {self.number.get(one.element) for one in links}
        if len(links) > MAX_LICENCES or len(names) != 2 or len(numbers) != 1 or None in numbers:
            return names[0] if len(names) == 1 and len(links) <= MAX_LICENCES else ""
        return " OR ".join(names) if any(_CHOICE.search(self.shown[number or 0].text) for number in numbers) else ""

    def speaks_for_page(self, one: PageEvidence, url: str) -> bool:
        """Whether a link is in the head, the frame or a mark block, without words about other things."""
        if one.element.tag == "link":
            return True
        run = self.run_of(one)
        above: list[html.HtmlElement] = [one.element, *one.element.iterancestors()][:MAX_CLIMB]
        if run is None or not self.agrees(one) or any(map(is_quoting, above)):
            return False
        placed = run.state.part == "site" or run.state.mark is not None
        placed = placed or len(run.text) > len(one.element.text_content() or "")
        return placed and candidates.speaks_of_page(run.text) and not is_beside(one.element, url)

    def is_undisputed(self, one: PageEvidence, url: str) -> bool:
        """Whether no box about something else surrounds a link at a declared place, and no words about another work."""
        run = self.run_of(one)
        if run is None:
            return False
        (link,) = (link for link in run.links if link.element is one.element)
        before, after = run.words_around(link)
        label = _WORK_LABEL.search(before)
        labelled = label is not None and not _OWN_LABEL.search(label[1])
        about_other = labelled or bool(candidates.OTHER_WORK.search(before)) or kogl_block.is_of_parts(after)
        return not about_other and not is_beside(one.element, url, declared=True)

    def agrees(self, one: PageEvidence) -> bool:
        """Whether nothing in the run of a link, its pictures or a short neighbour forbids what its licence allows."""
        found = terms(one.licence)
        if (run := self.run_of(one)) is None or found is None or found.use == "exclude":
            return True
        number, parent = self.number[one.element], run.owner.getparent()
        near = [other for other in self.shown[max(0, number - 1) : number + 2] if other.state.part == run.state.part]
        near = [other for other in near if other is run or other.owner.getparent() is parent]
        words = [other.text for other in near if other is run or len(other.text) <= MAX_CLAUSE]
        words += [f"{image.get('alt') or ''} {image.get('src') or ''}" for other in near for image, _ in other.images]
        return not any(map(candidates.is_closed, words))

    def run_of(self, one: PageEvidence) -> Run | None:
        """Return the run of a link of the body, None for one of the head."""
        number = self.number.get(one.element)
        return None if number is None else self.shown[number]


# Labelled values: 이용조건 | 공공누리 제1유형, in tables, lists and lines.
MAX_NAME = 40  # code points of a label
MAX_VALUE = 300  # code points of a value
MAX_CELLS = 60  # cells of a table or list that are read to find its topic
_LABEL = re.compile(
    r"(?:이용\s?조건|이용\s?허락\s?(?:범위)?|저작권\s?(?:정보|표시|유형)?|라이[선센]스|licen[cs]e|공공누리\s?(?:유형|표시)?|KOGL|CCL)",
    re.I,
)
_NAMES_LICENCE = re.compile(r"유형|공공누리|KOGL|\bCC\b|CCL|저작자|라이[선센]스|licen[cs]e|GPL|public domain", re.I)
_MEDIA_LABEL = re.compile(
    r"촬영|해상도|카메라|렌즈|노출|화소|(?:사진|이미지|글꼴|서체|영상|음원|곡|데이터|데이터셋)\s?(?:명|이름|제목|정보)|재생\s?시간"
    r"|\b(?:camera|resolution|exposure|typeface|duration)\b",
    re.I,
)
_may_label = gate(_LABEL)


def _find_cells(shown: Sequence[Run], fields: Sequence[str], date: str) -> Iterator[PageEvidence]:
    """Yield the licences of labelled values; the kind is `field` for labels among `fields`, which the source declares.

    Any other label that announces a licence makes a `cell`. A declared label that occurs more than once on a page
    belongs to several works, so it proves nothing.
    """
    declared = {_plain(name) for name in fields}
    whole = "\n.\n".join(run.text for run in shown)
    if not _may_label(whole) and not any(name in whole.casefold() for name in declared):
        return
    read = [(_plain(label), value, run) for run in shown for label, value in _values(run, declared)]
    for label, value, run in read:
        proves = label in declared and sum(other == label for other, _, _ in read) == 1 and not _is_media(run)
        if not proves and not _LABEL.fullmatch(label):
            continue
        licence = _read_cell(label, value, run)
        if licence == "LicenseRef-KOGL-0" and (
            (date and date[:7] < kogl_block.TYPE_0_SINCE) or "공공누리" not in label + value
        ):
            licence = None
        if licence or proves or _NAMES_LICENCE.search(value):
            kind = "field" if proves else "words" if _is_media(run) else "cell"
            yield PageEvidence(licence or UNKNOWN, kind, quote(label, value), run.owner, run.state)


def _read_cell(label: str, value: str, run: Run) -> str | None:
    licence = licence_from_text(value) or licence_from_text(f"{label} {value}")
    if licence or len(value) > MAX_VALUE:
        return licence
    linked = {licence_from_url(link.element.get("href") or "") for link in run.links}
    licences = (linked | {licence_from_text(image.get("alt") or "") for image, _ in run.images}) - {None}
    if len(licences) != 1:
        return None
    (licence,) = licences
    closed = re.search(r"비영리|상업적\s?이용\s?금지|변경\s?금지|\bN[CD]\b", value)
    return None if closed and not re.search(r"N[CD]|KOGL-[234]", licence or "") else licence


def _values(run: Run, declared: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (label, value) of a run: of a cell behind its label, or of a line `label: value`."""
    before = run.owner.getprevious()
    named = run.owner.tag in ("td", "dd") and before is not None and before.tag in ("th", "td", "dt")
    if before is not None and (named or (declared and run.owner.tag in ("div", "p", "li", "span"))):
        label = fold(before.text_content())
        if 0 < len(label) <= MAX_NAME and (named or _plain(label) in declared):
            yield label, run.text
            return
    label, colon, value = run.text.partition(":")
    if not colon:
        label, colon, value = run.text.partition("：")
    if colon and len(label) <= MAX_NAME and value.strip():
        yield label, value.strip()
        return
    first = next(iter(run.owner), None)  # <strong>이용조건</strong> 공공누리 제1유형
    name = fold(first.text_content())[:MAX_NAME] if first is not None and isinstance(first.tag, str) else ""
    if _plain(name) in declared and run.text.startswith(name):
        yield name, run.text[len(name) :].strip(" :：")


def _plain(label: str) -> str:
    return fold(label).strip(" :：·-").casefold()


def _is_media(run: Run) -> bool:
    """Whether the labels around a cell are those of a photograph, a typeface or a data set."""
    table = next((above for above in run.owner.iterancestors() if above.tag in ("table", "dl")), None)
    cells = table.iter("th", "td", "dt", "dd", "caption") if table is not None else ()
    labels = ((one.text or "")[:40] for _, one in zip(range(MAX_CELLS), cells, strict=False))
    return any(map(_MEDIA_LABEL.search, labels))


# Unprotected texts (Copyright Act of Korea): laws, ordinances and judgments (art. 7), whole sittings of the Assembly
# (art. 24), each on the official site that publishes them; works of an author whose year of death the page states.
LAST_YEAR = 1962  # of death: the term of 50 years had lapsed when it was extended to 70 (2013-07-01)
MAX_RUNS = 400  # of a page that are examined
_ART_7, _ART_24, _EXPIRED = "LicenseRef-KR-CA-Art7", "LicenseRef-KR-CA-Art24", "LicenseRef-KR-PD-expired"
_LAW = re.compile(r"/(?:법령|자치법규|행정규칙|판례|헌재결정례)/[^/]{1,200}(?:/[^/]{0,200}){0,2}")
_LAW_TEXT = re.compile(
    r"^\W{0,3}제\s?\d{1,4}\s?조(?:의\s?\d{1,3})?\s?[(\s]|^\W{0,3}주\s?문\s|^\W{0,3}【\s?(?:주\s?문|이\s?유)\s?】"
)
_MINUTES = re.compile(r"/assembly/(?:viewer|mnts)/minutes/[\w./-]{1,100}")
_SITTING = re.compile(r"^\(?\s?\d{1,2}시\s?\d{1,2}분\s?(?:개의|개회|산회|폐회|회의중지|계속개의)")
_OVER = re.compile(
    r"(?:저작권\s?)?보호\s?기간\s?(?:이\s)?만료(?:\s?저작물)?(?:\s?\((?:자유\s?이용|조건\s?없이\s?이용)\))?|만료\s?저작물"
)
_AUTHOR = re.compile(r"저작자|저자|지은이|작가|작자|글쓴이")
_LIVED = re.compile(r"[^\d]{2,40}\(\s?1[89]\d\d\s?[~∼–-]\s?(1[89]\d\d)\s?\)")


def _find_statutes(shown: Sequence[Run], url: str, rule: LicenceRule) -> Iterator[PageEvidence]:
    """Yield the evidence of a page at `url`: kind `statute`, scope item.

    The register is one of those that the State publishes, or the boards of a source that declares the proof.
    """
    parts = urlsplit(url)
    host, path = (parts.hostname or "").removeprefix("www."), unquote(parts.path)
    here = shown[:MAX_RUNS]
    declared = "statute" in rule.proofs and bool(rule.boards) and is_matched(rule.boards, url)
    if declared or (host == "law.go.kr" and _LAW.fullmatch(path)):
        yield from _prove_statute(here, _LAW_TEXT, _ART_7, 1)
    if declared or (host == "record.assembly.go.kr" and _MINUTES.fullmatch(path)):
        yield from _prove_statute(here, _SITTING, _ART_24, 2)
    yield from _find_expired(here)


def _prove_statute(shown: Sequence[Run], words: re.Pattern[str], licence: str, least: int) -> Iterator[PageEvidence]:
    """Yield the licence if at least `least` runs show that the text is of the kind that its address names."""
    proofs = [run for run in shown if run.state.part != "site" and words.search(run.text[:100])]
    if len(proofs) >= least:
        first = proofs[0]
        yield PageEvidence(licence, "statute", quote(first.text[:100]), first.owner, first.state)


def _find_expired(shown: Sequence[Run]) -> Iterator[PageEvidence]:
    """Find expired works: a cell states the expiry, and all authors named in other cells died by LAST_YEAR."""
    cells = [run for run in shown if run.owner.tag in ("td", "dd") and run.state.part != "site"]
    said = next((run for run in cells if _OVER.fullmatch(run.text)), None)
    if said is None:
        return
    labels = [(run.owner.getprevious(), run.text) for run in cells]
    named = [(label, text) for label, text in labels if label is not None and label.tag in ("th", "td", "dt")]
    authors = [text for label, text in named if _AUTHOR.search((label.text or "")[:40])]
    died = [match[1] for author in authors if (match := _LIVED.fullmatch(author))]
    if authors and len(died) == len(authors) and all(int(year) <= LAST_YEAR for year in died):
        yield PageEvidence(_EXPIRED, "statute", quote(said.text, *authors), said.owner, said.state)


# Evidence held against what the source declares.
_CANDIDATE = {  # kind of a proof that the source does not declare
    "field": "cell",
    "kogl-block": "image",
    "rel-license": "link",
    "json-ld": "metadata",
    "licence-file": "claim",
    "dump-claim": "claim",
    "project-licence": "claim",
    "statute": "words",
}


def enforce(
    rule: LicenceRule, url: str, author: str, found: Sequence[LicenceEvidence]
) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals): undeclared proofs become candidates; what is outside the rule needs a review.

    >>> rule = LicenceRule(proofs=("field",), fields=("KoglType",), boards=("/news/",))
    >>> mark = LicenceEvidence("LicenseRef-KOGL-1", "field", "item", "1", "KoglType", "r")
    >>> [one.kind for one in enforce(rule, "https://a.kr/news/1", "", [mark])[0]]
    ['field']
    >>> [one.name for one in enforce(rule, "https://a.kr/board/1", "", [mark])[1]]
    ['outside-boards']
    """
    kept = tuple(
        one if one.kind not in PROOFS or _is_declared(rule, one) else replace(one, kind=_CANDIDATE[one.kind])
        for one in found
    )
    proofs = [one for one in kept if one.kind in PROOFS and one.licence != NONE]
    if not proofs:
        return kept, ()
    return kept, tuple(
        Signal(name, "review", words[:300], place, proofs[0].record)
        for name, holds, words, place in (
            ("outside-boards", is_matched(rule.boards, url), url, "address"),
            ("author", is_matched((rule.author,) if rule.author else (), author), author or "no author", "author"),
            ("unexpected-licence", _is_expected(rule, proofs), proofs[0].licence, proofs[0].place),
        )
        if not holds
    )


def _is_declared(rule: LicenceRule, one: LicenceEvidence) -> bool:
    """Whether a source declares a proof; a field by its name or that of its place: `KoglType`, `Item/KoglType`."""
    if one.kind not in rule.proofs:
        return False
    last = re.split(r"[/.]", one.place)[-1].strip()
    # The reader of labelled cells has compared the label, and gives the path of the element as the place.
    return one.kind != "field" or not rule.fields or " > " in one.place or not {one.place, last}.isdisjoint(rule.fields)


def _is_expected(rule: LicenceRule, proofs: Sequence[LicenceEvidence]) -> bool:
    """Whether every licence that permits is one that the source expects; a closed one needs no review."""
    if not rule.expected:
        return True
    known = {found.expression for name in rule.expected if (found := terms(name))}
    open_ = (found.expression for one in proofs if (found := terms(one.licence)) and found.use != "exclude")
    return all(expression in known or expression.removesuffix("-AI") in known for expression in open_)
