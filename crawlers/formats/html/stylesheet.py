"""Find the elements of a page that its `<style>` elements hide.

Only plain rules are supported: names of classes, ids and tags, with descendants. Other selectors
and external style sheets are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml import html

MAX_STYLE = 200_000  # code points of all `<style>` elements of a page that are read
MAX_KNOWN = 20_000  # code points of style sheets whose rules are cached
MAX_RULES = 2_000  # rules that show or hide
MAX_OF_NAME = 20  # rules per class or id
MAX_ABOVE = 60  # ancestors that are inspected

_HIDES = re.compile(
    r"(?:^|[;{\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|opacity\s*:\s*0?(?:\.0+|0)(?=\s*(?:[;!}]|$)))",
    re.I,
)
_SHOWS = re.compile(r"(?:^|[;{\s])(?:display|visibility|opacity)\s*:", re.I)
_COMPOUND = re.compile(r"([a-z][a-z0-9]{0,20}|\*)?((?:[.#][\w-]{1,100}){0,6})", re.I)
_PRINT = re.compile(r"@(?:media|layer|supports)\b(?![^{]*\bprint\b)[^{]*$", re.I)  # groups whose rules hold on a screen


@dataclass(frozen=True, slots=True)
class Compound:
    """A compound selector: the tag of an element ("" for any), its classes, its id."""

    tag: str
    classes: frozenset[str]
    id: str

    def fits(self, element: html.HtmlElement) -> bool:
        """Whether `element` matches."""
        return (
            (not self.tag or element.tag == self.tag)
            and (not self.id or element.get("id") == self.id)
            and (not self.classes or self.classes <= set((element.get("class") or "").split()))
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One selector and its effect, hide or show. The last compound matches the element, the others its ancestors."""

    compounds: tuple[Compound, ...]
    hides: bool
    weight: tuple[bool, int, int, int]  # important, ids, classes, order


class Sheet:
    """The rules of a page, by class or id of the element."""

    def __init__(self, rules: list[Rule]) -> None:
        self.by_name: dict[str, list[Rule]] = {}
        for rule in rules:
            last = rule.compounds[-1]
            key = f"#{last.id}" if last.id else f".{min(last.classes)}"
            rules_of = self.by_name.setdefault(key, [])
            if len(rules_of) < MAX_OF_NAME:
                rules_of.append(rule)

    def hides(self, element: html.HtmlElement) -> bool:
        """Whether the strongest rule for `element` hides it."""
        if not self.by_name:
            return False
        keys = [f".{name}" for name in dict.fromkeys((element.get("class") or "").split())]
        if element.get("id"):
            keys.append(f"#{element.get('id')}")
        rules = [rule for key in keys[:MAX_ABOVE] for rule in self.by_name.get(key, ())]
        fitting = [rule for rule in rules if _matches_selector(rule.compounds, element)]
        return bool(fitting) and max(fitting, key=lambda rule: rule.weight).hides


def sheet(tree: html.HtmlElement) -> Sheet:
    """Return the rules of a page that show or hide elements.

    >>> page = html.document_fromstring("<style>.a .b, #c {display: none}</style><p class=b>1<p id=c>2")
    >>> [sheet(page).hides(one) for one in page.iter("p")]
    [False, True]
    """
    said = "".join(one.text or "" for one in tree.iter("style"))[:MAX_STYLE] if tree is not None else ""
    if not said:
        return _NO_RULES
    return _remembered(said) if len(said) <= MAX_KNOWN else _parse_sheet(said)


def _parse_sheet(said: str) -> Sheet:
    return Sheet(list(_rules(said))) if _HIDES.search(said) else _NO_RULES


_NO_RULES = Sheet([])
_remembered = lru_cache(maxsize=64)(_parse_sheet)  # pages of one host share their styles


def _matches_selector(compounds: tuple[Compound, ...], element: html.HtmlElement) -> bool:
    if not compounds[-1].fits(element):
        return False
    wanted = list(compounds[:-1])
    for _, above in zip(range(MAX_ABOVE), element.iterancestors(), strict=False):
        if not wanted:
            break
        if wanted[-1].fits(above):
            wanted.pop()
    return not wanted


def _rules(said: str) -> Iterator[Rule]:
    count = 0
    begin, *rest = said.split("/*")  # without comments
    for order, (selectors, body) in enumerate(_blocks(begin + "".join(part.partition("*/")[2] for part in rest))):
        hides = bool(_HIDES.search(body))
        if count >= MAX_RULES or not (hides or _SHOWS.search(body)):
            continue
        for selector in selectors.split(","):
            compounds = _compounds(selector)
            if compounds:
                count += 1
                ids = sum(bool(one.id) for one in compounds)
                classes = sum(len(one.classes) for one in compounds)
                yield Rule(compounds, hides, ("!important" in body.lower(), ids, classes, order))


def _blocks(said: str) -> Iterator[tuple[str, str]]:
    """Yield (selectors, declarations) of each rule; of groups, only those for screens are parsed."""
    skipped = 0  # depth inside a group that does not apply
    before = opened = ""
    for piece in re.findall(r"[^{}]+|[{}]", said):
        if piece == "{":
            if skipped or ("@" in before and not _PRINT.search(before)):
                skipped += 1
            opened = before
            before = ""
        elif piece == "}":
            if skipped:
                skipped -= 1
            elif before.strip() and "@" not in opened:
                yield opened.strip(), before
            before, opened = "", ""
        else:
            before = piece.rpartition(";")[2] if piece.lstrip()[:1] == "@" and ";" in piece else piece  # after @import


def _compounds(selector: str) -> tuple[Compound, ...]:
    found = []
    words = selector.replace(">", " ").split()
    for word in words if len(words) <= 6 else ():
        match = _COMPOUND.fullmatch(word)
        if match is None:
            return ()  # an unsupported selector: a state, an attribute, a sibling
        names = re.findall(r"[.#][\w-]+", match[2])
        ids = [name[1:] for name in names if name[0] == "#"]
        tag = "" if match[1] in (None, "*") else match[1].lower()
        found.append(Compound(tag, frozenset(name[1:] for name in names if name[0] == "."), ids[0] if ids else ""))
    if not found or not (found[-1].classes or found[-1].id):
        return ()  # a rule for a whole tag: too broad to be about a licence mark
    return tuple(found)
