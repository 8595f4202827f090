"""Decide what kind of page a web page is: an article, or a page that is not a text (index, error, login …).

A linear model over features of structure (share of links, streaks of prose, cut teasers, forms, tables of numbers,
words of errors) gives each kind a probability (`page_kind_model.toml`, trained by `benchmarks.page_kind_model`). How
sure the model must be to drop a page depends on its longest streak of prose: a page with a long one is an article
whatever else it shows, one with a brief one is dropped sooner.
"""

from __future__ import annotations

import math
import operator
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from crawlers.formats.html.page_features import find_stated_kinds, look, measure, measure_streak
from crawlers.formats.html.page_metadata import Metadata
from crawlers.formats.html.parsed_page import Page

KINDS = ("article", "index", "gallery", "error", "login", "stub", "generated", "frame", "shell")
# Drop reasons of kinds that the model or the frames of a page decide; other reasons and the kinds they mean.
REASONS = {
    "index": "index-page",
    "gallery": "gallery-page",
    "error": "error-page",
    "login": "login-page",
    "stub": "stub-page",
    "generated": "generated-page",
    "frame": "frame-page",
}
_KIND_OF_REASON = {"needs-script": "shell", "frameset": "frame"}
WORDED = frozenset({"error", "login", "stub"})  # kinds that count only if the page has their words
SURE = 0.9  # minimum probability of all kinds but `article` together at which a page is dropped
LIKELY = 0.5  # the same, at which a page is labelled with its likeliest other kind
BRIEF = 100  # code points; a text that has so many, but fewer in sentences in a row, shows little prose
BRIEF_SURE = 0.7  # in place of SURE for such a text, with or without the words of a kind
LITTLE = 200  # code points; with less beside a frame, the frame holds the content
PROSE = 800  # code points of sentences in a row; a page with so many is an article
_NO_CONTENT = re.compile(
    r"googletagmanager|youtube|vimeo|/ads?[/.?]|doubleclick|recaptcha|facebook|twitter|google\.com/maps|/map|counter|analytics|hidden"
    r"|display\s?:\s?none|^\S* 0 |^\S* 1 1 |width\s?:\s?[01](?:px)?\b|about:blank|javascript:|banner|player",
    re.IGNORECASE,
)
_LARGE = re.compile(r"100%|\b[5-9]\d\d\b|\b[1-9]\d{3}\b|100v[hw]")
_CONTENT = re.compile(r"main|view|content|cont|body|article|post|pdf|doc|convert|preview", re.IGNORECASE)


def judge(page: Page, found: Metadata, url: str, text: str, reason: str, *, carried: bool) -> tuple[str, str]:
    """Return the kind of a page with the extracted `text`, and the reason to drop it ("" to keep it).

    `reason` is that of the extraction. `carried`: the text is that of an article in the data of the page.
    """
    if carried or reason in _KIND_OF_REASON:
        return _KIND_OF_REASON.get(reason, "article"), reason
    if reason not in ("", "links-only", "no-text"):
        return "", reason
    if len(text) < LITTLE and _has_frame(page):
        return "frame", REASONS["frame"]
    shown = look(page, text)
    streak = measure_streak(shown, PROSE)
    if not reason and streak >= PROSE:
        return "article", ""
    chances = chances_of(measure(shown, page, found, url, text))
    stated = partial(find_stated_kinds, page, found.title, text)
    if not reason:
        kind, is_dropped = decide(chances, stated, little_prose=has_little_prose(len(text), streak))
        return kind, REASONS[kind] if is_dropped else ""
    # Nothing to lose: the kind only names the reason.
    likeliest, doubt = _find_likeliest(chances, stated())
    kind = likeliest if doubt >= LIKELY else "index" if reason == "links-only" else "stub"
    is_named = kind in ("index", "gallery", "generated") if reason == "links-only" else kind == "stub"
    return kind, reason if is_named else REASONS[kind]


def has_little_prose(length: int, streak: int) -> bool:
    """Whether a text of so many code points shows little prose; a very short one is left to the filter `length`."""
    return streak < BRIEF <= length


def decide(
    chances: Mapping[str, float], stated: Callable[[], frozenset[str]], *, little_prose: bool = False
) -> tuple[str, bool]:
    """Return the kind of a page with a text, and whether it is dropped.

    `chances` are those of all kinds, and `stated` returns the kinds of which the page has words.

    >>> chances = {"article": 0.2, "login": 0.8}
    >>> decide(chances, frozenset, little_prose=True), decide(chances, frozenset)
    (('stub', True), ('article', False))
    """
    doubt = 1 - chances["article"]
    if little_prose and doubt >= BRIEF_SURE:
        kind, _ = _find_likeliest(chances, WORDED)
        return "stub" if kind in WORDED - stated() else kind, True
    if doubt < LIKELY:
        return "article", False
    likeliest, doubt = _find_likeliest(chances, stated())
    return (likeliest, doubt >= SURE) if doubt >= LIKELY else ("article", False)


def _find_likeliest(chances: Mapping[str, float], stated: frozenset[str]) -> tuple[str, float]:
    """Return the likeliest kind but `article`, and the probability of all; of WORDED only those that are stated."""
    others = {kind: one for kind, one in chances.items() if kind != "article" and kind not in WORDED - stated}
    return max(others, key=others.__getitem__, default="stub"), math.fsum(others.values())


def _has_frame(page: Page) -> bool:
    """Whether a frame may hold the content: large or named so, with an address, not an advertisement or a counter."""
    for frame in page.tree.iter("iframe", "embed", "object"):
        get = frame.get
        address = get("src") or get("data") or get("data-src") or ""
        size = f"{get('width') or ''} {get('height') or ''} {get('style') or ''}"
        if not address or _NO_CONTENT.search(f"{address} {size} {get('id') or ''} {get('class') or ''}"):
            continue
        if (
            frame.tag != "iframe"
            or _LARGE.search(size)
            or _CONTENT.search(f"{get('id') or ''} {get('name') or ''} {address}")
        ):
            return True
    return False


def chances_of(values: list[float]) -> dict[str, float]:
    """Return the probability of each kind that the model knows."""
    scores = {kind: math.fsum((bias, *map(operator.mul, row, values))) for kind, (bias, row) in _load().items()}
    most = max(scores.values())
    weights = {kind: math.exp(score - most) for kind, score in scores.items()}
    total = math.fsum(weights.values())
    return {kind: weight / total for kind, weight in weights.items()}


@cache
def _load() -> dict[str, tuple[float, tuple[float, ...]]]:
    """Return kind → bias and weight of each feature."""
    with (Path(__file__).parent / "page_kind_model.toml").open("rb") as file:
        stored = tomllib.load(file)
    return {kind: (row[0], tuple(row[1:])) for kind, row in stored["weights"].items()}
