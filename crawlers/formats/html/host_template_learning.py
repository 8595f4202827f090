"""Learn the extraction template of a host from fully extracted pages, and validate it on others (held-out pages).

The box is the tightest that holds the text of nearly all pages; a line signature is dropped if full extraction
mostly dropped its lines; a part of the title that most pages share names the site. On held-out pages the template must
agree closely with full extraction, else it is discarded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from lxml import html

from crawlers.formats.html import host_template as templates
from crawlers.formats.html import page_metadata
from crawlers.formats.html.host_template import (
    NO_BOX,
    Box,
    Template,
    boxes_of,
    copy_visible,
    find,
    make_reader,
    signatures,
)
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.text_lines import PlacedLine, lines_with_places, split_lines

HOLDS = 0.95  # minimum share of a page's text that its box must hold
PAGES = 0.8  # minimum share of the pages whose box must exist and hold so much; the others get full extraction
AGREEMENT = 0.98  # minimum F1 of the code points of equal lines over the held-out pages
FITS = 0.5  # minimum share of the held-out pages that must fit, or the template is not worth its upkeep
HANGUL = 0.98  # minimum share of the Hangul of full extraction that the template must keep
NAMED = 0.5  # share of the pages; a part of the title that more of them have names the site
FEW = 2  # pages; that so many titles share a part is a coincidence
ABOVE = 60  # ancestors of a line that are considered
SLACK = 100  # new code points tolerated outside the box of any page: a date, a name
_OG_TITLE = ".//meta[@property='og:title']"
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NO_LETTERS = re.compile(r"[\W_]+")
_HANGUL = re.compile("[가-힣]+")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A page and its text by full extraction."""

    page: Page
    text: str


def learn(host: str, lessons: Sequence[Lesson], checks: Sequence[Lesson]) -> tuple[Template | None, str]:
    """Return the template of a host, and "" or why it has no box to read pages by; None if it has no names either.

    Reasons: `no-pages`, `no-box`, `few-fit`, `disagrees`, `loses-hangul`.
    """
    lessons = [lesson for lesson in lessons if len(lesson.text) >= templates.SHORT]
    if not lessons or not checks:
        return None, "no-pages"
    names = _find_names(lessons)
    box = _find_box(lessons)
    made, why = (None, "no-box") if box is None else _check_template(_make_template(host, box, lessons), checks)
    if made is not None:
        return replace(made, names=names), ""
    return (Template(host, NO_BOX, (), (), (), 0, names=names) if names else None), why


def agreement(one: str, other: str) -> float:
    """Return F1 of the letters of lines that both texts have: 1.0 if their lines are equal.

    >>> agreement("하나\\n둘", "- 하나\\n둘"), agreement("하나\\n둘둘", "하나")
    (1.0, 0.6666666666666666)
    """
    same, first, second = count_shared(one, other)
    return 2 * same / (first + second) if first + second else 1.0


def count_shared(one: str, other: str) -> tuple[int, int, int]:
    """Return the letters of the lines that both texts have, of the first text, and of the second."""
    first, second = _count_lines(one), _count_lines(other)
    return _count_letters(first & second), _count_letters(first), _count_letters(second)


def _count_lines(text: str) -> Counter[str]:
    return Counter(filter(None, (_squeeze(line) for line in split_lines(text))))


def _count_letters(lines: Counter[str]) -> int:
    return sum(len(line) * times for line, times in lines.items())


def _squeeze(line: str) -> str:
    return _NO_LETTERS.sub("", line)


def _find_box(lessons: Sequence[Lesson]) -> Box | None:
    """Return the tightest box that occurs once on most pages and holds nearly all of their text."""
    holding: Counter[Box] = Counter()
    sizes: Counter[Box] = Counter()
    for lesson in lessons:
        body = lesson.page.tree.find("body")
        if body is None:
            continue
        held: Counter[html.HtmlElement] = Counter()
        size: Counter[html.HtmlElement] = Counter()
        copy = copy_visible(body)
        for line, kept in _match_lines(lines_with_places(copy), lesson.text):
            for above in (line.owner, *islice(line.owner.iterancestors(), ABOVE)):
                held[above] += kept * len(line.text)
                size[above] += len(line.text)
        enough = HOLDS * max(held.values(), default=0)
        for element, letters in held.items():
            if letters < enough or not letters:
                continue
            for box in boxes_of(element):
                if find(lesson.page.tree, box) is not None:
                    holding[box] += 1
                    sizes[box] += size[element]
    good = [box for box, pages in holding.items() if pages >= PAGES * len(lessons)]
    return min(good, key=lambda box: (sizes[box] / holding[box], box.tag, box.attribute, box.value), default=None)


def _find_names(lessons: Sequence[Lesson]) -> tuple[str, ...]:
    """Return the digests of the titles, parts of titles and headings that most pages share: they name the site."""
    pages: Counter[str] = Counter()
    for lesson in lessons:
        tree = lesson.page.tree
        stated = (tree.findtext("head/title"), *(one.get("content") for one in tree.iterfind(_OG_TITLE)))
        titles = [title for title in stated if title]
        words = [*titles, *(part for title in titles for part in page_metadata.split_names(title))]
        words += map(page_metadata.words_of_heading, tree.iter("h1"))
        pages.update({page_metadata.digest_name(name) for name in words if name.strip()})
    return tuple(sorted(name for name, times in pages.items() if times > max(FEW, NAMED * len(lessons))))


def _make_template(host: str, box: Box, lessons: Sequence[Lesson]) -> Template:
    votes: dict[str, list[int]] = {}
    outside: list[list[tuple[str, int]]] = []
    for lesson in lessons:
        element = find(lesson.page.tree, box)
        if element is None:
            continue
        outside.append(templates.lines_outside(lesson.page.runs, element))
        copy = copy_visible(element)
        lines = lines_with_places(copy)
        matched = _match_lines(lines, lesson.text)
        for (_, kept), names in zip(matched, signatures(lines, copy), strict=True):
            for name in names:
                votes.setdefault(name, [0, 0])[kept] += 1
    times = Counter(digest for page in outside for digest in {digest for digest, _ in page})
    around = frozenset(digest for digest, pages in times.items() if pages > 1)
    rest = sorted(sum(own for digest, own in page if digest not in around) for page in outside)
    return Template(
        host,
        box,
        known=tuple(sorted(votes)),
        dropped=tuple(sorted(name for name, (left, kept) in votes.items() if left > kept)),
        around=tuple(sorted(around)),
        room=SLACK + 2 * rest[len(rest) // 2],
    )


def _match_lines(lines: Sequence[PlacedLine], text: str) -> list[tuple[PlacedLine, bool]]:
    """Return each line of a box, and whether full extraction has it; a line that occurs once in the text matches once.

    Of equal lines the first heading matches, else the first line: the title often occurs
    again above the text, as the name of the page.
    """
    left = _count_lines(text)
    kept = [False] * len(lines)
    for number in sorted(range(len(lines)), key=lambda number: lines[number].owner.tag not in _HEADINGS):
        name = _squeeze(lines[number].text)
        left[name] -= 1
        kept[number] = left[name] >= 0
    return list(zip(lines, kept, strict=True))


def _check_template(made: Template, checks: Sequence[Lesson]) -> tuple[Template | None, str]:
    read = make_reader(made)
    pages = same = first = second = hangul = kept = 0
    for check in checks:
        text, miss = read(check.page)
        if miss:
            continue
        pages += 1
        both, own, full = count_shared(text, check.text)
        same, first, second = same + both, first + own, second + full
        hangul += _count_hangul(check.text)
        kept += _count_hangul(text)
    if pages < FITS * len(checks):
        return None, "few-fit"
    if 2 * same < AGREEMENT * (first + second):
        return None, "disagrees"
    if kept < HANGUL * hangul:
        return None, "loses-hangul"
    return replace(made, pages=pages, agreement=round(2 * same / max(1, first + second), 4)), ""


def _count_hangul(text: str) -> int:
    return sum(map(len, _HANGUL.findall(text)))
