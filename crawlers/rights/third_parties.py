"""Find signs that a text, its term or its licence is not the publisher's; each leads to a review by a person.

The rules are data with examples: third_party.toml. They read declared places only: author_places.py.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

from ahocorasick_rs import AhoCorasick
from lxml import html

from crawlers.formats.html.runs import Run, path, quote
from crawlers.rights.author_places import find_places, find_title, split_title
from crawlers.rights.publisher_names import is_publisher
from crawlers.rights.rule_files import load, match_any
from malmoi.document import Signal
from malmoi.licensing.licences import licence_from_url
from malmoi.prefilter import need, shortest

PLACES = ("title", "label", "line", "sentence")
MAX_BLOCK = 8  # runs of a block that holds a notice of copyright and its licence
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 legend".split())


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of third_party.toml."""

    id: str
    name: str
    places: tuple[str, ...]
    label: re.Pattern[str] | None
    pattern: re.Pattern[str]
    about_text: bool  # the words are about the text of the page: one of [topics] matches
    also: tuple[re.Pattern[str], ...]  # each occurs in the same words
    unless: tuple[re.Pattern[str], ...]  # none occurs in the same words
    licensor: re.Pattern[str] | None  # notices that are left out in a block with a licence and nothing else

    def needs(self) -> list[str]:
        """Return strings in lower case of which each match contains one; of a labelled value, its label does.

        A rule without such strings is never tried.
        """
        needed = need((self.label or self.pattern).pattern).needed or frozenset()
        return shortest(frozenset(one.lower() for one in needed))


def _read_rule(row: dict[str, Any]) -> Rule:
    label = _compile([row["label"]])[0] if "label" in row else None
    licensor = _compile([row["licensor"]])[0] if "licensor" in row else None
    (pattern,) = _compile([row.get("pattern", "")])
    also, unless = (_compile(row.get(key, ())) for key in ("also", "unless"))
    return Rule(
        row["id"],
        row.get("name", "third-party"),
        tuple(row["places"]),
        label,
        pattern,
        row.get("about_text", False),
        also,
        unless,
        licensor,
    )


_DATA, _compile = load("third_party.toml")
_ACTOR = re.compile(
    r"[^.]{0,40}?[은는] (?:\d{2,4}년\S{0,2} )?(?!\d)(?P<holder>[^.,]{1,30}?)(?:이|가|에서|께서|에|의|은|는)\s"
)
_TOPICS = _compile(_DATA["topics"]["patterns"])
_UNLESS = {place: _compile(_DATA["unless"].get(place, ())) for place in PLACES}


@cache
def read_rules() -> tuple[Rule, ...]:
    """Return the rules of third_party.toml in their order."""
    return tuple(map(_read_rule, _DATA["rule"]))


@cache
def _build_finder() -> tuple[AhoCorasick, list[tuple[int, ...]]]:
    """Return an automaton of strings of which each rule needs one, and the numbers of the rules by string."""
    needs = [rule.needs() for rule in read_rules()]
    strings = sorted({string for one in needs for string in one})
    owners = [tuple(number for number, one in enumerate(needs) if string in one) for string in strings]
    return AhoCorasick(strings), owners


def find(shown: Sequence[Run], tree: html.HtmlElement, publisher: str) -> Iterator[Signal]:
    """Yield a signal of effect `review` for each sign on a page, without record; `shown` are its runs, in order.

    Names: `third-party`, `other-term`, `part`; the place begins with the id of the rule. `publisher` is the name that
    the source declares; with "", each named source and holder of rights is a sign.
    """
    if not shown:
        return
    title = find_title(tree)
    candidates = find_candidates([*(run.text for run in shown), title])
    for number, place, label, words in find_places(shown, title, candidates):
        rules = candidates.get(number, set()) | (candidates.get(number - 1, set()) if place == "label" else set())
        for rule in (read_rules()[index] for index in sorted(rules)):
            signed = place in rule.places and _is_sign(rule, place, label, words, publisher)
            if signed and not _is_licensor(rule, words, shown, number):
                where = path(shown[number % len(shown)].owner)
                yield Signal(rule.name, "review", quote(label, words), f"{rule.id}: {where}", "")


def find_candidates(texts: Sequence[str]) -> dict[int, set[int]]:
    """Return, by the number of a text, the numbers of the rules that may match in it.

    >>> [read_rules()[rule].id for rule in sorted(find_candidates(["바다", "방명록"])[1])]
    ['open-board-path']
    """
    lower = [text.lower() for text in texts]
    begins = list(accumulate((len(text) + 1 for text in lower), initial=0))
    found: dict[int, set[int]] = {}
    finder, owners = _build_finder()
    for string, begin, _ in finder.find_matches_as_indexes("\n".join(lower), overlapping=True):
        found.setdefault(bisect_right(begins, begin) - 1, set()).update(owners[string])
    return found


def _is_sign(rule: Rule, place: str, label: str, words: str, publisher: str) -> bool:
    if place == "title":
        found = next(filter(None, map(rule.pattern.fullmatch, split_title(words))), None)
    elif place == "label" and not (rule.label or rule.pattern).fullmatch(label):
        return False
    else:
        found = rule.pattern.search(words)
    if found is None or not _is_statement(rule, words):
        return False
    if rule.name == "third-party" and (match_any(_UNLESS[place], words) or _names_publisher(rule, words, publisher)):
        return False
    if place == "label" and rule.name == "third-party":
        return not is_publisher(words, publisher)
    return not any(is_publisher(holder, publisher) for holder in found.groupdict().values() if holder)


def _is_licensor(rule: Rule, words: str, shown: Sequence[Run], number: int) -> bool:
    """Whether a block holds a notice of copyright, a licence and nothing else: its holder gives the licence.

    Journals print `Copyright (c) 2024 <author>` above the badge of Creative Commons.
    """
    if rule.licensor is None or not rule.licensor.match(words):
        return False
    notice, near = shown[number], shown[max(0, number - MAX_BLOCK) : number + MAX_BLOCK + 1]
    for block in (notice.owner, notice.owner.getparent()):
        inside = [run for run in near if block in (run.owner, *run.owner.iterancestors())]
        rest = [run for run in inside if run is not notice and run.owner.tag not in _HEADINGS]
        if len(inside) <= MAX_BLOCK and any(map(_links_licence, inside)):
            return all(_links_licence(run) and rule.licensor.match(run.text) for run in rest)
    return False


def _links_licence(run: Run) -> bool:
    return any(licence_from_url(link.element.get("href") or "") for link in run.links)


def _is_statement(rule: Rule, words: str) -> bool:
    if match_any(rule.unless, words) or (rule.about_text and not match_any(_TOPICS, words)):
        return False
    return all(one.search(words) for one in rule.also)


def _names_publisher(rule: Rule, words: str, publisher: str) -> bool:
    """Whether the publisher is the first actor of a statement after its topic, or the actor of its verb."""
    if not rule.about_text:
        return False
    found = (_ACTOR.match(words), *(one.search(words) for one in rule.also))
    actors = (one.groupdict().get("holder") for one in found if one)
    return any(is_publisher(actor, publisher) for actor in actors if actor)
