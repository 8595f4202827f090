"""Extract the text of a page with the template of its host: the box of the main content, and its boilerplate blocks.

A template is learned from fully extracted pages (`host_template_learning.py`) and never changes afterwards. It takes
less time, but only applies to pages built like the learned ones: if a page differs (a missing box, text outside of
it, unknown blocks), full extraction is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import lru_cache

from lxml import etree, html

from crawlers.formats.html.code_blocks import mark_code
from crawlers.formats.html.layout import GONE, OPENED, part_alternatives, show, strip, unwrap_tables
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import Run
from crawlers.formats.html.text_lines import PlacedLine, lines_with_places
from malmoi.canonical_json import spell_on_one_line

LEVELS = 4  # ancestors of a line's block (with itself) in its signature
MOSTLY = 0.8  # share of a line inside links; from here on it is a link, not a sentence
PARTLY = 0.3
SHORT = 40  # code points of text; shorter texts are not judged
MANY = 20_000  # elements; larger pages get full extraction, which has limits for them
NEW_INSIDE = 0.1  # share of the code points of a box in blocks with unknown signatures; our choice, 1 in 10
FEW = 100  # code points; fewer are always accepted
SAID = 10  # code points outside links; a shorter line outside the box is not text
_DIGITS = re.compile(r"\d+")
_COUNT = etree.XPath("count(//*)")
# Rows and code are always text: a page may have them where no sampled page has.
_PLAIN = frozenset(("tr", "pre"))
_FRAMES = ("body", "main", "article", "section", "div", "td", "form", "center", "table")


@dataclass(frozen=True, slots=True)
class Box:
    """A selector: the only element of a page with this tag and this value of `attribute` ("" for any)."""

    tag: str
    attribute: str = ""
    value: str = ""


NO_BOX = Box("")


@dataclass(frozen=True, slots=True)
class Template:
    """The extraction template of one host.

    `dropped` and `known` are signatures of lines inside the box: those to leave out, and all observed ones;
    `around` are digests of lines outside the box that several pages share; `room` is the number of further code points
    that a page may have outside the box and outside links; `pages` and `agreement` are the results of its check: the
    number of pages, and the share of equal text (F1 of code points of equal lines). `names` are digests of the parts
    of titles, and of headings, that most pages share (`page_metadata.digest_name`); without a box (NO_BOX), only they
    are used.
    """

    host: str
    box: Box
    known: tuple[str, ...]
    dropped: tuple[str, ...]
    around: tuple[str, ...]
    room: int
    pages: int = 0
    agreement: float = 0.0
    names: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Serialise as one JSON object with sorted keys."""
        return spell_on_one_line(asdict(self))

    @staticmethod
    def from_json(text: str) -> Template:
        """Parse the output of `to_json`.

        >>> known = Template("a.kr", Box("div", "id", "b"), ("p.",), (), (), 100)
        >>> Template.from_json(known.to_json()) == known
        True
        """
        found = json.loads(text)
        lists = {name: tuple(found[name]) for name in ("known", "dropped", "around", "names")}
        return Template(**{**found, **lists, "box": Box(**found["box"])})

    @property
    def digest(self) -> str:
        """Digest of the serialised template."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


Reading = Callable[[Page], tuple[str, str]]


def make_reader(template: Template) -> Reading:
    """Return a function that extracts a page by `template`: (text, "") or ("", reason why the page does not fit).

    Reasons: `no-box` (missing or ambiguous), `too-large`, `new-outside`, `new-inside`, `too-short`, `links`.
    The page is not changed.
    """
    known, dropped, around = frozenset(template.known), frozenset(template.dropped), frozenset(template.around)

    def read(page: Page) -> tuple[str, str]:
        box = find(page.tree, template.box)
        if box is None:
            return "", "no-box"
        if _is_large(page.tree):
            return "", "too-large"
        if count_outside(page.runs, box, around) > template.room:
            return "", "new-outside"
        copy = copy_visible(box)
        lines = lines_with_places(copy)
        kept: list[PlacedLine] = []
        new = whole = 0
        for line, names in zip(lines, signatures(lines, copy), strict=True):
            whole += len(line.text)
            name = next((name for name in names if name in known), names[-1])
            if name not in known and (line.owner.tag not in _PLAIN or name.endswith(LINK)):
                new += len(line.text)
            if name not in dropped and (name in known or not name.endswith(LINK)):
                kept.append(line)
        if new > max(FEW, NEW_INSIDE * whole):
            return "", "new-inside"
        text = "\n".join(line.text for line in kept)
        if len(text) < SHORT:
            return "", "too-short"
        # Like full extraction (`html_page._is_only_links`), which drops a page that lists others.
        return ("", "links") if 2 * sum(line.linked for line in lines) > whole else (text, "")

    return read


def find(tree: html.HtmlElement, box: Box) -> html.HtmlElement | None:
    """Return the element that `box` selects; None unless it is exactly one.

    >>> page = html.document_fromstring("<div id=a>1</div><p>2</p><p>3</p>")
    >>> find(page, Box("div", "id", "a")).text, find(page, Box("p"))
    ('1', None)
    """
    found = [one for one in tree.iter(box.tag) if not box.attribute or one.get(box.attribute) == box.value]
    return found[0] if len(found) == 1 else None


def boxes_of(element: html.HtmlElement) -> tuple[Box, ...]:
    """Return the selectors of an element, the most specific first; () if it cannot be a content box."""
    if element.tag not in _FRAMES:
        return ()
    named = (Box(element.tag, name, value) for name in ("id", "class") if (value := element.get(name)))
    return (*named, Box(element.tag)) if element.tag in ("body", "main", "article") else tuple(named)


def copy_visible(box: html.HtmlElement) -> html.HtmlElement:
    """Return a copy of the visible content of a box, prepared like full extraction (`main_content.prepare`)."""
    box = deepcopy(box)
    box.tail = None
    for element in box.iter("script", "style", "noscript", "button", "select", "input", "a"):
        if element.tag != "a":
            element.tag = GONE
        elif element.get("href") is None:
            element.tag = OPENED
    strip(box)
    part_alternatives(box)
    mark_code(box)
    show(box)
    if next(box.iter("table"), None) is not None:
        unwrap_tables(box)
    return box


CLOSED = 4  # weight of a sentence relative to a line of the same length that is not one
_CLOSES = re.compile(r"[가-힣][.!?…][\"'”’)\]]?\s*\Z")
LINK = "#link"  # suffix of the signature of a line that is a link


def signatures(lines: Sequence[PlacedLine], box: html.HtmlElement) -> list[tuple[str, ...]]:
    """Return the signatures of each line: its LEVELS innermost blocks in the box, the last two, and its own if classed.

    Each includes how much of the line is a link.
    """
    known: dict[html.HtmlElement, tuple[str, ...]] = {box: (_step(str(box.tag), box.get("class") or ""),)}
    found = []
    for line in lines:
        steps = known.get(line.owner) or _steps(line.owner, known)
        share = line.linked / len(line.text)
        found.append(_names(steps, LINK if share > MOSTLY else "#links" if share > PARTLY else ""))
    return found


def count_outside(runs: Sequence[Run], box: html.HtmlElement, around: frozenset[str]) -> int:
    """Count code points of text outside the box and outside links, in lines that are not `around`."""
    return sum(own for digest, own in lines_outside(runs, box) if digest not in around)


def lines_outside(runs: Sequence[Run], box: html.HtmlElement) -> list[tuple[str, int]]:
    """Return the visible lines (`Page.runs`) outside a box that are not links: digest, and code points outside links.

    A sentence counts CLOSED times: a new sentence is text, a new date or name is not.
    """
    inside = {box: True}  # block → whether it is in the box
    found = []
    for run in runs:
        own = len(run.text) - sum(len(link.text) for link in run.links)
        if own >= SAID and not _is_in(run.owner, inside):
            digest = hashlib.sha256(run.text.encode("utf-8", "replace")).hexdigest()[:16]
            found.append((digest, own * CLOSED if _CLOSES.search(run.text) else own))
    return found


def _is_in(block: html.HtmlElement, known: dict[html.HtmlElement, bool]) -> bool:
    """Whether a block is in the box; `known` caches the answers for the box and earlier blocks."""
    passed = []
    above: html.HtmlElement | None = block
    while above is not None and above not in known:
        passed.append(above)
        above = above.getparent()
    answer = above is not None and known[above]
    known |= dict.fromkeys(passed, answer)
    return answer


def _is_large(tree: html.HtmlElement) -> bool:
    count = _COUNT(tree)
    return isinstance(count, float) and count >= MANY


def _steps(owner: html.HtmlElement, known: dict[html.HtmlElement, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the last LEVELS steps to a block; `known` caches those of the box and of earlier blocks."""
    below = [owner]  # blocks whose steps are not known yet, the innermost first
    while (above := below[-1].getparent()) is not None and above not in known:
        below.append(above)
    steps = known[above] if above is not None else ()
    for element in reversed(below):
        steps = (*steps, _step(str(element.tag), element.get("class") or ""))[-LEVELS:]
        known[element] = steps
    return steps


@lru_cache(maxsize=20_000)
def _names(steps: tuple[str, ...], ending: str) -> tuple[str, ...]:
    names = (">".join(steps), "…>" + ">".join(steps[-2:]))
    own = () if steps[-1].endswith(".") else (f"…{steps[-1]}",)  # a tag alone is not distinctive
    return tuple(name + ending for name in (*names, *own))


@lru_cache(maxsize=10_000)
def _step(tag: str, called: str) -> str:
    return f"{tag}.{_DIGITS.sub('0', called[:100])}"
