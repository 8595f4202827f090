"""Drop grants inside previews of another document: a card, a teaser, the box of the next post.

A preview, whatever its name, links to its document: as its heading, around it, or as "read more". A grant in it
applies to that document, even if the preview is the only one of its kind and holds most of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from urllib.parse import urljoin, urlsplit

from lxml import html

from crawlers.formats.html.runs import PageEvidence, Run
from crawlers.rights.page.applies_to import is_grant
from crawlers.rights.sentences.self_reference import title_of
from malmoi.licensing.licences import licence_from_url

MAX_ABOVE = 80  # ancestors that are examined
MAX_RUNS = 40  # runs above a grant that are searched for its heading
MAX_LINKS = 40  # of a box that are read
MAX_BESIDE = 40  # code points of a box besides the link and the grant
MAX_TEXTS = 400  # stretches of text of a box that are measured
MAX_SHARE = 0.5  # of the shown text of a page; a box with more is the page itself
MIN_TITLE = 4  # letters of a heading that is compared with the title of the page
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_HEADS = _HEADINGS | {"b", "strong"}
_WHOLES = frozenset("html body main article footer header td form".split())
_NAME = re.compile(
    r"(?:^|[\s_-])(?:next|prev|previous|series|related|feed|rss|recent|teaser|excerpt|summary|preview|pinned"
    r"|embed|og|link)"
    r"(?:$|[\s_-]|(?=[A-Z]))|card|rss|summary",
    re.I,
)
_TITLE = re.compile(r"tit(?:le)?(?:$|[\s_-])|headline|subject", re.I)
_OWN_BOX = re.compile(r"licen[cs]e|ccl|kogl|copyright|nuri|author|byline", re.I)
_READ_ON = re.compile(
    r"\W{0,3}(?:계속|더|이어서|자세히|전문|원문|전체|본문|마저)\s?(?:글\s?)?(?:읽기|보기|읽으러|보러|읽으세요)"
    r"|\W{0,3}더\s?알아보기"
    r"|\W{0,3}\b(?:read|see|learn|view) (?:more|on|full|the full|post|article)\b|continue reading|full (?:text|article"
    r"|story)",
    re.I,
)
_LEADS = re.compile(
    r"^\W{0,3}(?:다음|이전|앞|뒤|이어지는|관련|최근|추천|새|인기|이웃의\s?새|함께\s?읽을|더\s?읽을)\s?(?:글"
    r"|포스트|기사|문서|편|이야기|게시물)"
    r"|^\W{0,3}(?:연재|시리즈|읽을거리|next|previous|related|recent|up next)\b",
    re.I,
)
_NO_DOCUMENT = re.compile(
    r"kogl\.or\.kr|creativecommons\.org|(?:gnu|opensource)\.org|^#|^javascript:|^mailto:|^tel:|/(?:tags?"
    r"|categor(?:y|ies)|authors?|users?|search)/"
    r"|\.(?:hwpx?|pdf|docx?|xlsx?|pptx?|zip|jpe?g|png|gif)(?:$|[?#])|(?:^|[/?&=_])(?:down|file)",
    re.I,
)


def drop_previews(found: Sequence[PageEvidence], shown: Sequence[Run], url: str) -> list[PageEvidence]:
    """Return `found` without the grants inside a preview of a document other than `url`."""
    inside = [one for one in found if is_grant(one) and one.element.tag not in ("link", "meta", "script")]
    if not inside:
        return list(found)
    page = _Page(shown, url, inside[0].element)
    dropped = {id(one) for one in inside if page.is_preview(one)}
    return [one for one in found if id(one) not in dropped]


class _Page:
    def __init__(self, shown: Sequence[Run], url: str, element: html.HtmlElement) -> None:
        self.shown, self.url = shown, url
        self.own = {_address(url, url), *(_address(url, one) for one in _own_addresses(element))}
        self.length = sum(len(run.text) for run in shown)
        self.at = {id(one): n for n, run in enumerate(shown) for one in (run.owner, *_parts(run))}
        self.known: dict[html.HtmlElement, bool] = {}
        self.answers: dict[int, bool] = {}

    def is_preview(self, one: PageEvidence) -> bool:
        """Whether a grant is inside a link, below a linked heading or in a box, each of another document."""
        number = self.at.get(id(one.element), -1)
        key = number if number >= 0 else id(one.element)
        if key not in self.answers:
            above = islice(chain((one.element,), one.element.iterancestors()), MAX_ABOVE)
            self.answers[key] = (
                any(up.tag == "a" and self.leads_elsewhere(up) for up in above)
                or (number >= 0 and self.is_below_other_heading(number))
                or (number > 0 and self.is_below_link(self.shown[number - 1], self.shown[number]))
                or (0 <= number < len(self.shown) - 1 and self.is_read_on(self.shown[number], self.shown[number + 1]))
                or self.is_in_box(one.element)
            )
        return self.answers[key]

    def is_below_other_heading(self, number: int) -> bool:
        """Whether the nearest heading above a run, in the same part of the page, links to another document."""
        above = self.headings[number]
        if above < 0 or number - above > MAX_RUNS:
            return False
        run = self.shown[above]
        heading = _heading(run)
        return heading is not None and self.is_linked(heading, run)

    @cached_property
    def headings(self) -> list[int]:
        """The index of the nearest heading above each run in the same part of the page, or -1."""
        out, latest, framed = [], -1, False
        for number, run in enumerate(self.shown):
            if (run.state.part == "site") is not framed:
                latest, framed = -1, not framed
            out.append(latest)
            if _heading(run) is not None:
                latest = number
        return out

    def is_below_link(self, above: Run, here: Run) -> bool:
        """Whether the run above links to another document, bold or announced, or in a box of only these two runs."""
        box, outer = here.owner.getparent(), above.owner.getparent()
        if len(above.links) != 1 or above.state.part != here.state.part or not above.text:
            return False
        link = above.links[0].element
        whole = len(above.links[0].text.strip()) >= len(above.text)
        if _LEADS.search(above.text) or (whole and _is_heading_of(link, above.owner)):
            return self.leads_elsewhere(link)
        if not whole or here.state.part == "site" or here.state.mark is not None or box is None or box.tag in _WHOLES:
            return False
        if above.owner is not box and outer is not box and (outer is None or outer.getparent() is not box):
            return False
        words = sum(map(len, map(str.strip, islice(box.itertext(), MAX_TEXTS))))
        alone = words <= len(above.text) + len(here.text) + MAX_BESIDE
        return alone and self.leads_elsewhere(link)

    def is_read_on(self, here: Run, below: Run) -> bool:
        """Whether the run below is a "read more" link to another document."""
        if len(below.links) != 1 or below.state.part != here.state.part or not _READ_ON.match(below.text):
            return False
        return self.leads_elsewhere(below.links[0].element)

    def is_linked(self, heading: html.HtmlElement, run: Run) -> bool:
        links = chain((link.element for link in run.links[:3]), islice(heading.iterancestors(), 2))
        if not any(link.tag == "a" and self.leads_elsewhere(link) for link in links):
            return False
        words = re.sub(r"\W", "", run.text)
        return len(words) < MIN_TITLE or words not in re.sub(r"\W", "", _page_title(heading))

    def is_in_box(self, element: html.HtmlElement) -> bool:
        """Whether a box around an element, smaller than the page, links to the document that it previews."""
        for up in islice(element.iterancestors(), MAX_ABOVE):
            if up.tag in _WHOLES:
                return False
            if up not in self.known:
                self.known[up] = len(self.known) < 2 * MAX_ABOVE and self.is_box(up, element)
            if self.known[up]:
                return True
        return False

    def is_box(self, box: html.HtmlElement, element: html.HtmlElement) -> bool:
        if sum(map(len, islice(box.itertext(), MAX_TEXTS))) > MAX_SHARE * self.length:
            return False
        links = [one for one in islice(box.iter("a"), MAX_LINKS) if self.leads_elsewhere(one)]
        if not links:
            return False
        called = f"{box.get('class') or ''} {box.get('id') or ''}"[:200]
        named = bool(_NAME.search(called)) and not _OWN_BOX.search(called)
        leading = any(_LEADS.search(" ".join((one.text or "").split())) for one in islice(box.iter(), MAX_LINKS))
        return named or leading or any(_READ_ON.search(_text(one)) or _is_heading_of(one, box) for one in links)

    def leads_elsewhere(self, link: html.HtmlElement) -> bool:
        """Whether a link points to another document: not a licence, file, tag or home page, and not the page itself."""
        address = (link.get("href") or "").strip()
        rel = (link.get("rel") or "").lower()
        if not address or "tag" in rel.split() or "licen" in rel or _NO_DOCUMENT.search(address[:500]):
            return False
        if licence_from_url(address):
            return False
        there = _address(self.url, address)
        return there not in self.own and there[1:] not in (("", ""), ("/index", ""))


def _own_addresses(element: html.HtmlElement) -> Iterator[str]:
    """Yield the canonical addresses that a page declares."""
    root = element.getroottree().getroot()
    for one in islice(root.iter("link", "meta"), 100):
        if (one.get("rel") or "").lower() == "canonical":
            yield one.get("href") or ""
        elif one.get("property") == "og:url":
            yield one.get("content") or ""


def _address(base: str, address: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(urljoin(base, address[:2_000]))
    except ValueError:
        return ("", address, "")
    path = re.sub(r"(?:\.html?|\.do|\.jsp|\.php)$", "", parts.path).rstrip("/")
    return parts.netloc.lower().removeprefix("www."), path, parts.query


def _parts(run: Run) -> Iterator[html.HtmlElement]:
    yield from (link.element for link in run.links)
    yield from (image for image, _ in run.images)


def _heading(run: Run) -> html.HtmlElement | None:
    """Return the heading element of a run, by its tag or by a class name such as "title"; else None."""
    if run.owner.tag in _HEADINGS or (run.owner.tag == "dt" and run.links):
        return run.owner
    called = f"{run.owner.get('class') or ''}"[:200]
    return run.owner if run.links and _TITLE.search(called) else None


def _is_heading_of(link: html.HtmlElement, box: html.HtmlElement) -> bool:
    """Whether a link is the heading of a box: in or around a heading or bold words, or with a class name of a title."""
    if any(one.tag in _HEADS or _TITLE.search((one.get("class") or "")[:200]) for one in islice(link.iter(), 8)):
        return True
    above = link.getparent()
    return above is not None and above is not box and above.tag in _HEADS and _text(above) == _text(link)


def _text(element: html.HtmlElement) -> str:
    return " ".join(" ".join(islice(element.itertext(), 20)).split())[:200]


def _page_title(element: html.HtmlElement) -> str:
    title = element.getroottree().getroot().find(".//title")
    return (title.text or "")[:300] if title is not None else title_of(element)
