"""Redact personal data: replace it by typed placeholders, by reserved surrogates, or by a generalised value.

docs/personal-data.md describes what each action leaves of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import re2
from pydantic import BeforeValidator

from filters.pii_rules import repeats
from filters.pii_rules.repeats import canonical_form
from filters.replacements import generalise
from filters.replacements import surrogates as reserved
from filters.replacements.surrogates import Surrogates
from malmoi import url_privacy
from malmoi.document import Document, Edit, Edits, Field, Span

VERSION = 4
LIBRARIES = ("google-re2", "numpy")

Action: TypeAlias = Literal["placeholder", "surrogate", "generalise", "keep"]
_PREFIX: Final = "pii:"
NAMES: Final = {
    "rrn": "주민등록번호",
    "frn": "외국인등록번호",
    "passport": "여권번호",
    "driver_license": "운전면허번호",
    "phone": "전화번호",
    "email": "이메일",
    "messenger": "메신저",
    "brn": "사업자등록번호",
    "crn": "법인등록번호",
    "account": "계좌번호",
    "card": "카드번호",
    "health_insurance": "건강보험번호",
    "vehicle": "차량번호",
    "address": "주소",
    "postcode": "우편번호",
    "birth_date": "생년월일",
    "name": "이름",
    "ip": "IP주소",
    "mac": "MAC주소",
    "url_secret": "비밀값",
    "key": "비밀키",
}
# A region or a year identifies no person, and texts about places or generations need them.
_DEFAULT: Final[dict[str, Action]] = {"address": "generalise", "birth_date": "generalise"}
_OTHER: Final = "개인정보"  # for kinds missing from this table, which are redacted too


def _pairs(table: Any) -> tuple[tuple[str, str], ...]:
    """Return the table of a recipe, or pairs, as sorted pairs; the parameters of a step must be hashable."""
    if not isinstance(table, Mapping | tuple):
        raise ValueError('not a table of kinds and actions, e.g. phone = "surrogate"')
    given = dict(table)
    for kind, action in given.items():
        _refuse(kind in NAMES, f"{kind!r} is not a kind", str(kind), NAMES)
        _refuse(action in get_args(Action), f"{action!r} for {kind} is not an action", str(action), get_args(Action))
        _refuse(
            action != "generalise" or kind in generalise.KINDS, f"{kind} cannot be generalised", "", generalise.KINDS
        )
        _refuse(action != "surrogate" or kind in reserved.KINDS, f"{kind} has no reserved values", "", reserved.KINDS)
    return tuple(sorted(given.items()))


def _refuse(sound: bool, says: str, given: str, known: Any) -> None:
    if not sound:
        near = get_close_matches(given, known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{says}.{hint} Known: {', '.join(known)}")


Actions: TypeAlias = Annotated[tuple[tuple[str, Action], ...], BeforeValidator(_pairs)]  # a table in a recipe


def mend(doc: Document, *, actions: Actions = ()) -> Edits:
    """Return an edit for each span marked `pii:…`, e.g. `[전화번호1]`; its reason is the kind of the span.

    `actions` maps kinds to actions: `placeholder`, the default; `surrogate`, a reserved value of the same format, or
    the
    placeholder if its range is exhausted; `generalise`, the default of address and birth_date: `부산 없는구
    [상세주소1]`,
    `1991년 [월일1]`, or the placeholder if the value has no general part; `keep`.

    Equal values of a kind get equal numbers, counted from 1 in reading order, so that references remain consistent
    within a document and nothing links two documents. Values are compared regardless of separators and width.
    Overlapping spans become one edit, named after the first.

    >>> from malmoi.document import Provenance
    >>> spans = (Span(0, 13, "pii:phone"), Span(14, 25, "pii:phone"))
    >>> doc = Document("a/1", "010-0000-1234 01000001234", Provenance("a", "", "", "", ""), spans=spans)
    >>> [e.text for e in mend(doc)]
    ['[전화번호1]', '[전화번호1]']
    >>> [e.text for e in mend(doc, actions=(("phone", "surrogate"),))]
    ['010-0000-0001', '010-0000-0001']
    """
    chosen = {**_DEFAULT, **dict(actions)}
    writer = _Writer(doc.text, Surrogates(doc.text))
    edits = []
    for stretch in _stretches(doc.spans, chosen):
        kept, text = writer.write(
            doc.text[stretch.start : stretch.end], stretch, chosen.get(stretch.kind, "placeholder")
        )
        edits.append(Edit(stretch.start + kept, stretch.end, text, _PREFIX + stretch.kind))
    return (*edits, *_redact_fields(doc, chosen, writer))


def _redact_fields(doc: Document, actions: Mapping[str, Action], writer: _Writer) -> Iterator[Edit]:
    """Redact values that are masked in the text also in the title, the author and the URL.

    The author's name stays: a licence may require it. The URL is read with its escapes decoded.
    """
    yield from _redact_field("title", doc.title, doc, actions, writer)
    yield from _redact_field("author", doc.author, doc, {**actions, "name": "keep"}, writer)
    url = url_privacy.decode_escapes(doc.provenance.url)
    edits = list(_redact_field("url", url, doc, actions, writer))
    if edits and url != doc.provenance.url:
        for edit in reversed(edits):
            url = url[: edit.start] + edit.text + url[edit.end :]
        edits = [Edit(0, len(doc.provenance.url), url, edits[0].reason, "url")]
    yield from edits


def _redact_field(
    name: Field, text: str, doc: Document, actions: Mapping[str, Action], writer: _Writer
) -> Iterator[Edit]:
    stay = {kind for kind, action in actions.items() if action == "keep"}
    for hit in repeats.find_masked(text, doc, stay):
        stretch = _Stretch(hit.start, hit.end, hit.kind)
        kept, written = writer.write(text[hit.start : hit.end], stretch, actions.get(hit.kind, "placeholder"))
        yield Edit(hit.start + kept, hit.end, written, _PREFIX + hit.kind, name)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The range of one edit; `whole` if it is one value, not several that overlap."""

    start: int
    end: int
    kind: str
    whole: bool = True


def _stretches(spans: tuple[Span, ...], actions: Mapping[str, str]) -> list[_Stretch]:
    """Return the ranges to redact, sorted, with overlaps merged; skips kinds with the action `keep`."""
    marked = [s for s in spans if s.kind.startswith(_PREFIX) and s.start < s.end]
    marked = [s for s in marked if actions.get(s.kind.removeprefix(_PREFIX)) != "keep"]
    stretches: list[_Stretch] = []
    for span in sorted(marked, key=lambda s: (s.start, -s.end, s.kind)):
        if stretches and span.start < (last := stretches[-1]).end:
            stretches[-1] = _Stretch(last.start, max(last.end, span.end), last.kind, whole=False)
        else:
            stretches.append(_Stretch(span.start, span.end, span.kind.removeprefix(_PREFIX)))
    return stretches


@dataclass(slots=True)
class _Writer:
    """The replacements for the values of one document."""

    text: str  # of the document
    surrogates: Surrogates
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)  # highest placeholder number per kind in the original text

    def write(self, value: str, stretch: _Stretch, action: str) -> tuple[int, str]:
        """Return how many leading code points of the value stay, and the text that replaces the rest."""
        plain = canonical_form(stretch.kind, value)
        seen = self.numbers.setdefault(stretch.kind, {})
        if not seen:
            self.counted[stretch.kind] = _last_number(self.text, NAMES.get(stretch.kind, _OTHER))
        number = seen.setdefault(plain, self.counted[stretch.kind] + len(seen) + 1)
        if stretch.whole and action == "surrogate" and (found := self.surrogates.find_surrogate(stretch.kind, plain)):
            return 0, found
        if stretch.whole and action == "generalise" and (general := generalise.generalise(stretch.kind, value)):
            return general.kept, f"{general.text}[{general.name}{number}]"
        return 0, f"[{NAMES.get(stretch.kind, _OTHER)}{number}]"


def _last_number(text: str, name: str) -> int:
    """Return the highest number of a placeholder of this name in `text`, or 0."""
    if f"[{name}" not in text:
        return 0
    return max(map(int, re2.findall(f"\\[{name}([0-9]{{1,6}})\\]", text)), default=0)
