"""Mark personal data: labelled and canonical identifiers of people in Korea.

What each kind covers, leaves alone and is known to miss stands in docs/personal-data.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, TypeAlias, get_args

import re2

from filters.pii_rules import emails, numbers, payments, persons, phones, residents
from filters.pii_rules.finding import Found, settled
from filters.pii_rules.numbers import Run, Window
from malmoi.document import Document, Spans

VERSION = 2
LIBRARIES = ("google-re2",)

Kind: TypeAlias = Literal["rrn", "frn", "phone", "email", "card", "account", "brn", "birth_date", "name", "address"]
DEFAULT_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_Rule: TypeAlias = Callable[[Window], Found | None]


def mark(doc: Document, *, kinds: tuple[Kind, ...] = DEFAULT_KINDS) -> Spans:
    """Spans of kind `pii:<kind>` in text order, never overlapping, in code points of `doc.text`.

    `value` is the matched text and goes when it is redacted; `why` names label, form and sums,
    never the text. Takes time linear in the length of the text, whatever stands in it.

    >>> from malmoi.document import Provenance
    >>> doc = Document("a/1", "문의 010-0000-1234입니다", Provenance("a", "", "", "", ""))
    >>> [(s.kind, s.value) for s in mark(doc)]
    [('pii:phone', '010-0000-1234')]
    """
    text = doc.text
    data = text.encode("utf-8", "replace")  # half a surrogate pair becomes "?": still one code point
    hits = _GATE.Match(data)
    if not hits:
        return ()
    return settled((f for f in _found(text, data, hits) if f.kind in kinds), text)


def _found(text: str, data: bytes, hits: list[int]) -> Iterator[Found]:
    if _NUMBERS in hits:
        for run in numbers.runs(text, data):
            found = list(_in_run(text, run))
            yield from found
            yield from payments.accounts(text, run, found)
    if _MASKED in hits:
        yield from residents.masked(text, data)
    if _EMAILS in hits:
        yield from emails.emails(text, data)
    if max(hits) >= _PERSONS:
        yield from persons.labelled(text, data)


def _in_run(text: str, run: Run) -> Iterator[Found]:
    """What the rules say of each stretch of groups whose lengths have a known shape."""
    lengths = tuple(map(len, run.groups))
    # In a long row of groups no rule takes a window that a dash ties to a further group.
    tied = [len(lengths) > phones.LONGEST_ROW and mark == "-" for mark in run.separators]
    for first in range(len(lengths)):
        if tied[first]:
            continue
        for last in range(first + 1, min(first + _WIDEST, len(lengths)) + 1):
            rules = None if tied[last] else _SHAPES.get(lengths[first:last])
            if rules:
                window = Window(text, run, first, last)
                yield from (found for rule in rules if (found := rule(window)) is not None)


def _shapes() -> dict[tuple[int, ...], tuple[_Rule, ...]]:
    table: dict[tuple[int, ...], tuple[_Rule, ...]] = {}
    for rule, shapes in (
        (residents.resident, residents.SHAPES),
        (phones.phone, phones.SHAPES),
        (payments.card, payments.CARD_SHAPES),
        (payments.business, payments.BUSINESS_SHAPES),
    ):
        for shape in shapes:
            table[shape] = (*table.get(shape, ()), rule)
    return table


def _gate() -> re2.Set:
    """One pass over the bytes tells which detectors have anything to do."""
    gate = re2.Set.SearchSet()
    for pattern in (numbers.RUN, residents.MASKED, emails.GATE, persons.BIRTH, persons.NAME, persons.ADDRESS):
        gate.Add(pattern)
    gate.Compile()
    return gate


_SHAPES: Final = _shapes()
_WIDEST: Final = max(map(len, _SHAPES))
_NUMBERS, _MASKED, _EMAILS, _PERSONS = range(4)  # from _PERSONS on
_GATE: Final = _gate()
