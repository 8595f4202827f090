"""Find signs that a text, its term or its licence is not the publisher's; each leads to a review by a person.

The rules are data with examples: third_party.toml. They read declared places only: author_places.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lxml import html

from crawlers.formats.html.runs import Run, path, quote
from crawlers.rights.author_places import find_places, split_title
from crawlers.rights.rule_files import load, match_any
from crawlers.rights.sentences.prefilter import MAX_KNOWN, gate
from malmoi.document import Signal

PLACES = ("title", "label", "line", "sentence")


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of third_party.toml."""

    id: str
    name: str
    places: tuple[str, ...]
    label: re.Pattern[str] | None
    pattern: re.Pattern[str]


def _read_rule(row: dict[str, Any]) -> Rule:
    label = _compile([row["label"]])[0] if "label" in row else None
    (pattern,) = _compile([row.get("pattern", "")])
    return Rule(row["id"], row.get("name", "third-party"), tuple(row["places"]), label, pattern)


_DATA, _compile = load("third_party.toml")
RULES = tuple(map(_read_rule, _DATA["rule"]))
_BY_PLACE = {place: [rule for rule in RULES if place in rule.places] for place in PLACES}
_UNLESS = {place: _compile(_DATA["unless"].get(place, ())) for place in PLACES}
_MAY = {place: gate(*(rule.label or rule.pattern for rule in rules)) for place, rules in _BY_PLACE.items()}
_MAY_STATE = gate(*(rule.pattern for rule in _BY_PLACE["sentence"]))
_REST, _DEPARTMENT, _SELF = (_compile(_DATA["publisher"][name]) for name in ("rest", "department", "self"))
_SPLIT = re.compile(r"\s?[;,·/()（）]\s?")
_WORDS = re.compile(r"[\s,·]+")
_ENDING = re.compile(r"(?:에서|으로부터|로부터|에게|의|은|는|이|가|에)$")


def find(shown: Sequence[Run], tree: html.HtmlElement, publisher: str) -> Iterator[Signal]:
    """Yield a signal of effect `review` for each sign on a page, without record; `shown` are its runs, in order.

    Names: `third-party`, `other-term`, `part`; the place begins with the id of the rule. `publisher` is the name that
    the source declares; with "", each named source and holder of rights is a sign.
    """
    stated = _MAY_STATE("\n.\n".join(run.text for run in shown))
    for run, place, label, words in find_places(shown, tree):
        if place == "sentence" and not stated:
            continue
        for rule in _find_rules(place, label, words, publisher):
            yield Signal(rule.name, "review", quote(label, words), f"{rule.id}: {path(run.owner)}", "")


@lru_cache(maxsize=MAX_KNOWN)
def _find_rules(place: str, label: str, words: str, publisher: str) -> tuple[Rule, ...]:
    if not _MAY[place](f"{label}\n{words}"):
        return ()
    found = tuple(rule for rule in _BY_PLACE[place] if _is_sign(rule, place, label, words, publisher))
    unless = bool(found) and match_any(_UNLESS[place], words)
    return tuple(rule for rule in found if not (unless and rule.name == "third-party"))


def _is_sign(rule: Rule, place: str, label: str, words: str, publisher: str) -> bool:
    if place == "title":
        found = next(filter(None, map(rule.pattern.fullmatch, split_title(words))), None)
    elif place == "label" and not (rule.label or rule.pattern).fullmatch(label):
        return False
    else:
        found = rule.pattern.search(words)
    if found is None:
        return False
    if place == "label" and rule.name == "third-party":
        return not is_publisher(words, publisher)
    return not any(is_publisher(holder, publisher) for holder in found.groupdict().values() if holder)


def is_publisher(holder: str, publisher: str) -> bool:
    """Whether a holder is the publisher, alone or with its departments, or a department without a name.

    >>> [is_publisher(one, "가나시") for one in ("가나시청 홍보담당관", "문화과", "가나시 다라협회", "다라일보")]
    [True, True, False, False]
    """
    holder = holder.strip(" '\"“”‘’「」『』<>[]()")
    words = [_ENDING.sub("", word) for word in _WORDS.split(holder) if word]
    if match_any(_SELF, holder) or all(_is_one_of(_DEPARTMENT, word) for word in words):
        return True
    found = filter(None, (name.match(holder) for name in _read_names(publisher)))
    return any(_is_rest(holder[one.end() :]) for one in found)


def _is_rest(words: str) -> bool:
    return all(_is_one_of(_REST, _ENDING.sub("", word)) for word in _WORDS.split(words) if word)


def _is_one_of(patterns: Sequence[re.Pattern[str]], word: str) -> bool:
    return not word or any(pattern.fullmatch(word) for pattern in patterns)


@lru_cache(maxsize=256)
def _read_names(publisher: str) -> tuple[re.Pattern[str], ...]:
    """Return patterns of the names in `publisher`, which white space and the ending 청 do not distinguish."""
    names = ("".join(one.split()).removesuffix("청") for one in _SPLIT.split(publisher))
    return tuple(re.compile(r"\s?".join(map(re.escape, name)) + r"청?(?![가-힣]{2})", re.I) for name in names if name)
