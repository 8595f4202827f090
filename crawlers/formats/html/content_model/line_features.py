"""Describe each line of a page for the model of main content (`line_model.py`): where it is, and how it reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import html

from crawlers.formats.html.content_model.line_signs import describe_text, find_signs, size_of
from crawlers.formats.html.content_model.name_groups import read_names
from crawlers.formats.html.content_model.page_core import (
    CoreRelations,
    Inside,
    Surroundings,
    count_running_lines,
    find_core,
    is_running,
)
from crawlers.formats.html.text_lines import PlacedLine

FAR = 6  # lines; a longer distance to running text is not distinguished
WINDOW = 3  # lines on each side whose running text is counted
MAX_PARTS = 20  # open parts, one in another
NEAR_HEADING = 3  # ancestors of a heading among which its box is searched


# Signs whose line opens a part that is not main content, or ends the main content.
_OPENING_SIGNS = ("seealso", "comment", "rights", "copied", "file", "survey", "tags", "move", "reporter")
OPENING = 40  # code points; a longer line opens no part


_MARK = re.compile(r"\s*(?:- |\d{1,5}\. )")  # of a list item, as `text_lines` writes it


def describe_lines(lines: Sequence[PlacedLine], page: Surroundings) -> list[list[str]]:
    """Return the names of the features of each line that are present."""
    parts: list[tuple[Inside, str]] = []  # open parts: their box, and the sign of their first line
    past: dict[str, None] = {}
    begun = False  # whether running text came before
    texts = [_MARK.sub("", line.text, count=1) for line in lines]
    sizes = [(len(text), max(0, len(text) - line.linked)) for text, line in zip(texts, lines, strict=True)]
    shapes = [_shape(length, own) for length, own in sizes]
    long = [is_running(text, own) for text, (_, own) in zip(texts, sizes, strict=True)]
    before, after = _distances(long), _distances(long[::-1])[::-1]
    families = count_running_lines(lines, long)
    core = find_core(lines, long, page)
    within = Inside(core) if core is not None else None
    inside = [within is not None and within.holds(line.owner) for line in lines]
    first = inside.index(True) if True in inside else len(lines)
    last = len(lines) - 1 - inside[::-1].index(True) if True in inside else -1
    relations = CoreRelations(core, page.body)
    contexts: dict[html.HtmlElement, _Context] = {}
    # Names of the core and of what holds it say nothing: a thread of answers may be called comments.
    known = _make_context(core, page, contexts) if core is not None else None
    shared = known.around | known.own if known is not None else frozenset()
    total = max(1, sum(own for _, own in sizes))
    crowd = _describe_crowd(sizes)
    passed = 0
    found = []
    seen: dict[str, int] = {}
    for at, line in enumerate(lines):
        context = contexts.get(line.owner) or _make_context(line.owner, page, contexts)
        length, own = sizes[at]
        shape = shapes[at]
        near = sum(long[max(0, at - WINDOW) : at + WINDOW + 1])
        features = [
            "bias",
            f"len:{shape}",
            f"tag:{line.owner.tag}",
            f"tag+len:{line.owner.tag}:{shape}",
            _describe_neighbour("prev", lines, shapes, at, at - 1),
            _describe_neighbour("next", lines, shapes, at, at + 1),
            f"before:{before[at]}:{context.boxed}",
            f"after:{after[at]}:{context.boxed}",
            f"between:{before[at] < FAR}:{after[at] < FAR}:{shape[0]}",
            f"near:{near}",
            crowd,
            f"place:{10 * passed // total}",
            f"box+len:{context.boxed}:{shape}",
        ]
        features += context.features
        features += [f"in:{group}" for group in context.around - shared]
        features += [f"own:{group}" for group in context.own - shared]
        features += _describe_family(line.owner, families, shape)
        where = "in" if inside[at] else "above" if at < first else "below" if at > last else "between"
        away, twin = relations.relate(line.owner)
        features += [f"core:{where}", f"core:{where}:{away}", f"core+len:{where}:{shape}"]
        if twin:
            features.append(f"twin:{where}")
        begun = begun or (at > 0 and long[at - 1]) or before[at] < FAR
        signs = find_signs(texts[at])
        features += describe_text(texts[at], shape)
        features += [f"sign:{sign}:{size_of(shape)}" for sign in signs]
        while parts and not parts[-1][0].holds(line.owner):
            parts.pop()
        features += [f"under:{sign}" for sign in dict.fromkeys(sign for _, sign in parts)]
        features += [f"past:{sign}:{shape[1]}" for sign in past]
        for sign in signs:
            if sign in _OPENING_SIGNS:
                if length <= OPENING and len(parts) < MAX_PARTS:
                    box = _box_of_part(line.owner, page)
                    if box is not None and not any(one.box is box and name == sign for one, name in parts):
                        parts.append((Inside(box), sign))
                if begun:
                    past[sign] = None
        if page.title and length < 200 and squeeze(line.text) == page.title:
            features.append("title")
        times = seen[line.text] = seen.get(line.text, 0) + 1
        if shape[1] == "3" and length <= OPENING:
            features.append("link")
        if times > 1:
            features.append("again")
        passed += own
        found.append(features)
    return found


@dataclass(frozen=True, slots=True)
class _Context:
    """Features of the boxes around a line."""

    features: tuple[str, ...]
    own: frozenset[str]  # groups of its names
    around: frozenset[str]  # groups of the names of its ancestors
    boxed: str  # "in" the box of the page, "out" of it


def _make_context(element: html.HtmlElement, page: Surroundings, known: dict[html.HtmlElement, _Context]) -> _Context:
    """Return the context of a block; those of its ancestors are made on the way, and kept in `known`."""
    path = []
    above: html.HtmlElement | None = element
    while above is not None and above not in known:
        path.append(above)
        above = above.getparent() if above is not page.body else None
    for part in reversed(path):
        parent = part.getparent() if part is not page.body else None
        outer = known.get(parent) if parent is not None else None
        known[part] = _describe_place(part, parent, outer, page)
    return known[element]


def _describe_place(
    element: html.HtmlElement, parent: html.HtmlElement | None, outer: _Context | None, page: Surroundings
) -> _Context:
    words, groups = read_names(str(element.tag), element.get("class") or "", element.get("id") or "")
    around = outer.around | outer.own if outer is not None else frozenset()
    boxed = "in" if element is page.box or (outer is not None and outer.boxed == "in") else "out"
    features = [f"word:{word}" for word in words]
    if parent is not None:
        near, near_groups = read_names(str(parent.tag), parent.get("class") or "", parent.get("id") or "")
        features += [f"parent:{group}" for group in near_groups] + [f"near:{word}" for word in near]
        features.append(f"tags:{parent.tag}>{element.tag}")
        features.append(f"dens:{_density(parent, page)}")
        features.append(f"share:{_share(parent, page)}:{boxed}")
        over = parent.getparent()
        if over is not None and parent is not page.body:
            _, high_groups = read_names(str(over.tag), over.get("class") or "", over.get("id") or "")
            features += [f"above:{group}" for group in high_groups]
            features.append(f"dens2:{_density(over, page)}")
        before = element.getprevious()
        if before is None:
            before = parent.getprevious()
        if before is not None and page.own.get(before, 0) == 0 and _has_picture(before):
            features.append("picture")
    if not around:
        features.append("in:nothing")
    features.append(f"boxed:{boxed}")
    return _Context(tuple(features), groups, around, boxed)


def _has_picture(element: html.HtmlElement) -> bool:
    return element.tag == "img" or next(element.iter("img", "iframe", "video"), None) is not None


def _density(element: html.HtmlElement, page: Surroundings) -> str:
    """Bucket of the share of text in links below an element, and of the text outside."""
    own, linked = page.own.get(element, 0), page.linked.get(element, 0)
    share = linked / (own + linked) if own + linked else 0.0
    size = 0 if own < 50 else 1 if own < 200 else 2 if own < 800 else 3
    return f"{0 if share < 0.1 else 1 if share < 0.3 else 2 if share < 0.6 else 3}{size}"


def _share(element: html.HtmlElement, page: Surroundings) -> str:
    """Bucket of the share of the page's text outside links that is below an element."""
    share = page.own.get(element, 0) / max(1, page.own.get(page.body, 0))
    return str(0 if share < 0.05 else 1 if share < 0.2 else 2 if share < 0.5 else 3 if share < 0.8 else 4)


def _shape(length: int, own: int) -> str:
    size = (
        "a" if length <= 4 else "b" if length <= 10 else "c" if length <= 20 else "d" if length <= 40
        else "e" if length <= 80 else "f" if length <= 160 else "g"
    )  # fmt: skip
    share = 1 - own / length if length else 0.0
    return f"{size}{0 if share < 0.1 else 1 if share < 0.5 else 2 if share < 0.9 else 3}"


def _describe_neighbour(name: str, lines: Sequence[PlacedLine], shapes: Sequence[str], at: int, other: int) -> str:
    """Feature of a neighbour: its shape, and whether it is in the same box."""
    if not 0 <= other < len(lines):
        return f"{name}:none"
    one, two = lines[at].owner, lines[other].owner
    same = one is two or one.getparent() is two.getparent()
    return f"{name}:{shapes[other]}:{same}"


def _box_of_part(heading: html.HtmlElement, page: Surroundings) -> html.HtmlElement | None:
    """Return the box that a heading opens: the nearest that holds more than the heading; None if it is the page's."""
    box: html.HtmlElement | None = heading
    for _ in range(NEAR_HEADING):
        box = box.getparent() if box is not None else None
        if box is None or box is page.body or box is page.box:
            return None
        if len(box) > 1:
            return box
    return None


def _distances(long: Sequence[bool]) -> list[int]:
    """Return the number of lines back to the last line of running text, at most FAR."""
    found, distance = [], FAR
    for flag in long:
        distance = 0 if flag else min(FAR, distance + 1)
        found.append(distance)
    return found


_SQUEEZE = re.compile(r"[\W_]+")


def squeeze(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return _SQUEEZE.sub("", text).casefold()


def _describe_crowd(sizes: Sequence[tuple[int, int]]) -> str:
    """Feature of the whole page: its number of lines, and the share of lines that are links."""
    links = sum(own < length / 2 for length, own in sizes)
    lines = 0 if len(sizes) <= 8 else 1 if len(sizes) <= 20 else 2
    share = links / max(1, len(sizes))
    return f"crowd:{lines}:{0 if share < 0.1 else 1 if share < 0.3 else 2}"


def _describe_family(owner: html.HtmlElement, families: dict[html.HtmlElement, int], shape: str) -> list[str]:
    parent = owner.getparent()
    over = parent.getparent() if parent is not None else None
    peers = min(4, families.get(parent, 0)) if parent is not None else 0
    peers_above = min(4, families.get(over, 0)) if over is not None else 0
    return [f"peers:{peers}", f"peers_above:{peers_above}", f"peers+len:{max(peers, peers_above)}:{shape}"]
