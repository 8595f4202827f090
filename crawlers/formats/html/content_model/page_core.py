"""Find the core of a page, the box with most running text, and how other lines relate to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import html

from crawlers.formats.html.content_model.line_signs import CUT, ends_sentence
from crawlers.formats.html.text_lines import PlacedLine

LONG = 60  # code points outside links; a line with so many is running text
SENTENCE = 25  # the same of a line that ends as a sentence does
FULL = 400  # code points of a line that count for the core
CORE_LEVELS = 5  # ancestors of a line that may be the core of the page


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts of a page that all its lines share.

    `own` and `linked` are code points per element outside and inside links, `box` the element chosen by text density,
    `title` the title of the page without white space and signs.
    """

    body: html.HtmlElement
    box: html.HtmlElement
    own: dict[html.HtmlElement, int]
    linked: dict[html.HtmlElement, int]
    title: str


def is_running(text: str, own: int) -> bool:
    """Whether a line reads as running text."""
    return own >= LONG or (own >= SENTENCE and ends_sentence(text))


def find_core(lines: Sequence[PlacedLine], long: Sequence[bool], page: Surroundings) -> html.HtmlElement | None:
    """Return the box with most running text near below it: each ancestor of a line gets a share of its length."""
    held: dict[html.HtmlElement, float] = {}
    for line, flag in zip(lines, long, strict=True):
        if not flag or line.text.endswith(CUT):
            continue
        own = min(FULL, len(line.text) - line.linked)
        above = line.owner.getparent()
        for level in range(CORE_LEVELS):
            if above is None or above is page.body:
                break
            held[above] = held.get(above, 0.0) + own / (level + 1)
            above = above.getparent()
    return max(held, key=lambda box: held[box], default=None)


class CoreRelations:
    """How elements relate to the core; answers are cached, because every line asks, and pages nest deep."""

    def __init__(self, core: html.HtmlElement | None, body: html.HtmlElement) -> None:
        self._branch: list[html.HtmlElement] = []  # the core and its ancestors below the body
        while core is not None and core is not body:
            self._branch.append(core)
            core = core.getparent()
        self._levels = {box: level for level, box in enumerate(self._branch)}
        self._known: dict[html.HtmlElement, tuple[int, bool]] = {}

    def relate(self, element: html.HtmlElement) -> tuple[int, bool]:
        """Return how many levels above the core the nearest common ancestor is (at most CORE_LEVELS); whether twin.

        A twin is in a box with the tag and first class of the box of the core beside it: another post of a thread,
        another part of an article.
        """
        if element in self._levels:
            return self._levels[element], False
        passed = [element]
        above = element.getparent()
        while above is not None and above not in self._levels and above not in self._known:
            passed.append(above)
            above = above.getparent()
        found = self._known.get(above) if above is not None else None
        if found is None:
            level = self._levels[above] if above is not None else len(self._branch)
            other = self._branch[level - 1] if level else None
            near = min(CORE_LEVELS, level) if above is not None else CORE_LEVELS
            found = near, other is not None and _kind_of(passed[-1]) == _kind_of(other)
        self._known |= dict.fromkeys(passed, found)
        return found


def _kind_of(box: html.HtmlElement) -> tuple[str, str]:
    return str(box.tag), ((box.get("class") or "").split() or [""])[0]


def count_running_lines(lines: Sequence[PlacedLine], long: Sequence[bool]) -> dict[html.HtmlElement, int]:
    """Return the number of lines of running text by the parent of their block, and by its parent."""
    found: dict[html.HtmlElement, int] = {}
    for line, flag in zip(lines, long, strict=True):
        if flag and not line.text.endswith(CUT):
            parent = line.owner.getparent()
            for box in (parent, parent.getparent() if parent is not None else None):
                if box is not None:
                    found[box] = found.get(box, 0) + 1
    return found


class Inside:
    """Whether elements are in a box (or are it); answers are cached."""

    def __init__(self, box: html.HtmlElement) -> None:
        self.box = box
        self._known = {box: True}

    def holds(self, element: html.HtmlElement) -> bool:
        """Whether the box holds an element."""
        passed: list[html.HtmlElement] = []
        above: html.HtmlElement | None = element
        while above is not None and above not in self._known:
            passed.append(above)
            above = above.getparent()
        answer = above is not None and self._known[above]
        self._known |= dict.fromkeys(passed, answer)
        return answer
