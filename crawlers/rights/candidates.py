"""Find everything on a page that names a licence or sounds open, with its element, place and words.

Candidates prove nothing: `page_proofs` picks those that are a proof at a declared place. The others lead to a review
of a document without proof, and on the item they contradict another licence. Hidden and quoted text is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import urldefrag, urlsplit

from lxml import html

from crawlers.formats.html.runs import (
    MAX_AROUND,
    MAX_QUOTE,
    RELATIONS,
    PageEvidence,
    Run,
    State,
    classify_names,
    is_hidden,
    is_quoting,
    names,
    quote,
)
from crawlers.rights.refusals import denies
from crawlers.rights.rules import gate, load, may_match_any
from crawlers.web.addresses import join_url
from malmoi.licensing.licence_words import NO_DERIVATIVES, NON_COMMERCIAL, licence_from_text
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.quoted_licences import AFTER, MENTION, read_mentions
from malmoi.licensing.rights_decision import NONE, UNKNOWN

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
    framed = run.state.mark is not None or run.state.part == "site"
    end = 0  # of the last licence link: words before it speak of that one
    for link in run.links[:MAX_LINKS]:
        address = link.element.get("href") or ""
        marked = is_marked(link.element)
        licence = licence_from_url(address)
        if (not marked and licence is None) or (licence or "").startswith("LicenseRef-KOGL"):
            continue
        before = run.words_between(end, link.begin)[-MAX_AROUND:]
        aside = PART.search(before) or (plain and not marked and not framed and not speaks_of_page(run.text))
        kind = "words" if aside else "link"
        end = link.end
        yield PageEvidence(licence or UNKNOWN, kind, quote(address, link.text), link.element, run.state)


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


# Boxes about something else than the text of the page.
MAX_ABOVE = 8  # ancestors that may be a card or a box
MAX_CLIMB = 40  # ancestors whose microdata and RDFa are read
MAX_SIBLINGS = 6  # of an element on each side that may be of its kind
MAX_HEAD = 6  # elements at the beginning of a box that may be its heading
MAX_TITLE = 24  # code points of a heading that announces other pages
MAX_BEFORE = 200  # elements of an entry before a mark that may be a link
(_RELATED,) = _compile([_DATA["related"]["pattern"]])
_FRAMES = frozenset(("main", "article", "header", "nav", "footer"))
_LABELS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "strong", "b", "caption", "legend", "summary", "dt"))
_BOXES = frozenset(("li", "article", "div", "section", "tr", "dl"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
_PAGE_TYPES = re.compile(
    r"/(?:\w*Article|BlogPosting|Report|Web(?:Page|Site)|CreativeWork|Blog|\w*Page|LearningResource|Legislation)$"
)
_BESIDE = frozenset(
    "related relate recommend prev previous next series widget card cards gallery banner feed recent popular attach "
    "attachment file files download thumb thumbnail slide slider carousel post-list tags author-bio promo popup layer "
    "modal map player review reviews prenext prevnext nextprev pager font fonts audio video search".split()
)


def is_beside(element: html.HtmlElement, url: str = "", *, declared: bool = False) -> bool:
    """Whether an element is in a card, post or box about something else than the page at `url`.

    With `declared`, a sidebar or widget is no such box: the source says that the licence of its pages is there.
    Microdata, RDFa or the class of a box say so, a linked heading before it, or siblings with links or titles as well.
    """
    for number, above in enumerate(islice((element, *element.iterancestors()), MAX_CLIMB)):
        about = above.get("about") or above.get("resource") or ""
        if above.get("itemscope") is not None or about:
            type_ = (above.get("itemtype") or "").rstrip("/")
            other = about and not about.startswith("#") and join_url(url, about) != url
            return bool(other) or bool(type_ and not _PAGE_TYPES.search(type_))
        if number > MAX_ABOVE or above.tag in ("body", "html"):
            continue
        called = {part for name in names(above) for part in (name, *re.split(r"[-_]", name))}
        if declared and (above.tag == "aside" or "widget" in called):
            continue
        if not _BESIDE.isdisjoint(called) or above.tag in ("aside", "nav", "figure", "form", "details"):
            return True
        if above.tag in ("li", "td", "dd") and _is_of_entry(element, above):
            return True
        if above.tag in _BOXES and (_is_card(above) or _is_teaser(above, url)):
            return True
    return False


def _is_of_entry(element: html.HtmlElement, entry: html.HtmlElement) -> bool:
    """Whether a link to a file, post or product precedes `element` in an entry, or its label announces other pages."""
    for one in islice(entry.iter(), MAX_BEFORE):
        if one is element:
            break
        if one.tag == "a" and _leads_to_page(one) and not any(inside is element for inside in one.iter()):
            return True
    label = entry.getprevious()  # 이전글, 관련 자료
    return label is not None and label.tag in ("dt", "th") and bool(_RELATED.search(label.text_content()[:MAX_TITLE]))


def _is_card(element: html.HtmlElement) -> bool:
    """Whether an element and a sibling of the same tag and class both hold a link to another page, or a heading."""
    if element.tag == "div" and not element.get("class"):
        return False  # the frame of a site is made of such blocks
    sides = (element.itersiblings(element.tag), element.itersiblings(element.tag, preceding=True))
    near = sides[:1] if element.tag == "section" else sides  # a mark in the last section is that of the page
    alike = [one for side in near for one in islice(side, MAX_SIBLINGS) if one.get("class") == element.get("class")]
    return bool(alike) and any(test(element) and any(map(test, alike)) for test in (_leads_away, _has_heading))


def _leads_away(element: html.HtmlElement) -> bool:
    return any(one.tag == "a" and _leads_to_page(one) for one in islice(element.iter(), MAX_BEFORE))


def _has_heading(element: html.HtmlElement) -> bool:
    """Whether an element has a heading that is one of a text, not of comments or links."""
    headings = (one for one in islice(element.iter(), MAX_BEFORE) if one.tag in _HEADINGS)
    return any(not _RELATED.search(one.text_content()[:MAX_TITLE]) for one in headings)


def _is_teaser(element: html.HtmlElement, url: str) -> bool:
    """Whether a box begins with a heading that links to another page than `url`, or that announces other pages."""
    inside = list(islice(element.iter(), MAX_HEAD))
    for one in inside:  # a box is not the frame of a site
        if one.tag in _FRAMES or (isinstance(one.tag, str) and classify_names(" ".join(names(one)))[2]):
            return False
    heading = next((one for one in inside if one.tag in _LABELS), None)
    words = " ".join((heading.text_content() or "").split()) if heading is not None else ""
    if words and len(words) <= MAX_TITLE and _RELATED.search(words):
        return True
    if heading is None or heading.tag not in _HEADINGS or not element.get("class"):
        return False
    links = heading.iter("a")
    return any(_leads_to_page(link) and join_url(url, link.get("href") or "") != url for link in links)


def _leads_to_page(link: html.HtmlElement) -> bool:
    address = link.get("href") or ""
    if not address or address.startswith(("#", "javascript:", "mailto:")) or licence_from_url(address):
        return False
    return "kogl.or.kr" not in address and "creativecommons.org" not in address


# The head of a page and its JSON-LD.
MAX_JSON = 500_000  # code points of one JSON-LD block
_META = frozenset(
    "license licence rights dc.rights dc:rights dcterms.license dcterms.rights dcterms:license dc.rights.license "
    "cc:license xhv:license copyright".split()
)
_ABOUT_TEXT = frozenset(
    "Article NewsArticle BlogPosting TechArticle ScholarlyArticle Report WebPage CreativeWork Book Chapter Legislation "
    "GovernmentService DigitalDocument LearningResource".split()
)
_MANY = re.compile(
    r"//(?:www\.)?(?:kogl\.or\.kr|creativecommons\.org)"
    r"(?:/(?:licenses?|open|(?:open/)?info/(?:license|infoRenewal)\.do)?)?/?(?:[?;].*)?$",
    re.I,
)
# A licence that is named but unreadable: Creative Commons without a version, proprietary terms.
_UNREAD = re.compile(
    r"\bCC[ -]?BY|creative ?commons|저작자 ?표시|공공누리|KOGL|proprietary|non-?commercial|비영리|상업적|\bNC\b|\bND\b",
    re.I,
)
_QUOTING = frozenset("blockquote figure figcaption q pre code template dialog".split())
_WORKS = frozenset("CreativeWork Book Chapter Report DigitalDocument LearningResource Legislation".split())
_SAYING = ("licen", "copyrightNotice", "usageInfo", "conditionsOfAccess")
_HEAD = State(part="item")
_SITE = State(part="site")


def find_in_head(tree: html.HtmlElement, url: str) -> Iterator[PageEvidence]:
    """Yield what `<link rel=license>`, `<meta>` and the JSON-LD blocks say about the licence of the page."""
    for element in tree.iter("link", "meta", "script"):
        if element.tag == "link":
            if RELATIONS.isdisjoint((element.get("rel") or "").lower().split()) or _is_out_of_place(element):
                continue
            address = element.get("href") or ""
            if "rsl" not in (element.get("type") or "").lower() and not is_family_page(address):
                yield PageEvidence(licence_from_url(address) or UNKNOWN, "link", quote(address), element, _HEAD)
        elif element.tag == "meta":
            name = (element.get("name") or element.get("property") or element.get("itemprop") or "").strip().lower()
            if name not in _META or _is_out_of_place(element):
                continue
            value = element.get("content") or ""
            licence = licence_from_text(value)
            if not licence and value.strip():
                licence = NONE if denies(value) else UNKNOWN if _UNREAD.search(value) else None
            if licence:
                yield PageEvidence(licence, "metadata", quote(name, value), element, _HEAD)
        elif (element.get("type") or "").strip().lower() == "application/ld+json":
            words = element.text or ""
            if any(name in words for name in _SAYING) and not _is_out_of_place(element):
                yield from _read_json_ld(element, url)


def is_family_page(address: str) -> bool:
    """Whether an address is a page about all the licences of a family and names none of them.

    >>> is_family_page("https://www.kogl.or.kr/info/license.do#01-tab"), is_family_page("/terms.html")
    (True, False)
    """
    return bool(_MANY.search(address.partition("#")[0]))


def _is_out_of_place(element: html.HtmlElement) -> bool:
    """Whether an element is hidden, or a `<link>` or `<meta>` in a part of the body or a quotation: a picture."""
    chain = [element, *element.iterancestors()]
    if any(one.tag in ("template", "noscript", "svg", "iframe") or is_hidden(one) for one in chain):
        return True
    for above in chain[1:] if element.tag != "script" else ():
        if above.tag == "head":
            return False
        if above.tag in _QUOTING or is_quoting(above):
            return True
        if above.get("itemscope") is not None:
            kind = (above.get("itemtype") or "").rstrip("/").rpartition("/")[2]
            return kind not in _ABOUT_TEXT and kind not in ("WebSite", "Blog")
    return False


def _read_json_ld(element: html.HtmlElement, url: str) -> Iterator[PageEvidence]:
    """Yield the statements of the objects on the outermost level and in @graph; deeper ones are about parts."""
    raw = element.text or ""
    if len(raw) > MAX_JSON:
        return
    try:
        data = json.loads(raw.strip().rstrip(";"), strict=False)
    except (ValueError, RecursionError):
        return
    nodes = list[Any]()
    for outer in data if isinstance(data, list) else [data]:
        graph = outer.get("@graph") if isinstance(outer, dict) else None
        nodes += [outer, *graph] if isinstance(graph, list) else [outer]
    for node in (one for one in nodes if isinstance(one, dict)):
        kinds = node.get("@type")
        types = {kinds} if isinstance(kinds, str) else {k for k in kinds or () if isinstance(k, str)}
        site = types & {"WebSite", "Organization"}
        if not site and (not types & _ABOUT_TEXT or _is_other_page(node, url)):
            continue
        if not site and types <= _WORKS and _has_other_title(node, element):
            continue
        state = _SITE if site else _HEAD
        for name in ("copyrightNotice", "usageInfo", "conditionsOfAccess"):
            if any(denies(value) for value in _values(node.get(name))):
                yield PageEvidence(NONE, "json-ld", quote(name, next(_values(node.get(name)))), element, state)
        for value in _values(node.get("license")):
            licence = licence_from_url(value) or licence_from_text(value)
            if licence or not is_family_page(value):
                words = quote(f'"license": "{value}"')
                yield PageEvidence(licence or UNKNOWN, "json-ld", words, element, state)


def _is_other_page(node: dict[str, Any], url: str) -> bool:
    for key in ("mainEntityOfPage", "url", "@id"):
        value = next(_values(node.get(key)), "")
        if value and not value.startswith("#"):
            return urlsplit(urldefrag(join_url(url, value))[0])[1:4] != urlsplit(urldefrag(url)[0])[1:4]
    return False


def _has_other_title(node: dict[str, Any], element: html.HtmlElement) -> bool:
    """Whether a work without an address has another title than the page: a book that the page is about."""
    if any(node.get(key) for key in ("mainEntityOfPage", "url", "@id")):
        return False
    plain = "".join("".join(_values(node.get("headline") or node.get("name"))).lower().split())
    titles = element.getroottree().iter("title", "h1")
    pool = ["".join(one.text_content().lower().split()) for one in titles]
    return bool(plain) and any(pool) and not any(plain in one or one in plain for one in pool if one)


def _values(value: object) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            one = one.get("url") or one.get("@id") or one.get("name")
        if isinstance(one, str) and one.strip():
            yield one.strip()
