"""Replace personal data: by typed placeholders, by reserved surrogates, or by the part of it that tells no person.

What each action leaves of which kind stands in docs/personal-data.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import BeforeValidator

from filters import generalised
from filters import surrogates as reserved
from filters.surrogates import Surrogates
from malmoi.document import Document, Edit, Edits, Span

VERSION = 2
LIBRARIES = ("google-re2",)

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
# A region and a year tell nobody apart, and a text about places or generations needs them.
_DEFAULT: Final[dict[str, Action]] = {"address": "generalise", "birth_date": "generalise"}
_OTHER: Final = "개인정보"  # a kind this table does not know yet is redacted all the same
_NUMBERS: Final = frozenset(("rrn", "frn", "phone", "brn", "crn", "account", "card"))


def _pairs(table: Any) -> tuple[tuple[str, str], ...]:
    """The table of a recipe, or pairs, as sorted pairs: the parameters of a step are values that can be hashed."""
    if not isinstance(table, Mapping | tuple):
        raise ValueError('not a table of kinds and actions, such as phone = "surrogate"')
    given = dict(table)
    for kind, action in given.items():
        _refuse(kind in NAMES, f"{kind!r} is no kind", str(kind), NAMES)
        _refuse(action in get_args(Action), f"{action!r} for {kind} is no action", str(action), get_args(Action))
        _refuse(
            action != "generalise" or kind in generalised.KINDS, f"{kind} cannot be generalised", "", generalised.KINDS
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
    """An edit for each stretch marked `pii:…`, e.g. `[전화번호1]`; its reason is the kind of the span.

    `actions` says what becomes of a kind: `placeholder`, which also stands for kinds that it does not
    name; `surrogate`, a reserved value of the same form, or the placeholder where its range is used
    up; `generalise`, the default of address and birth_date: `부산 없는구 [상세주소1]`, `1991년 [월일1]`,
    or the placeholder where nothing general stands in the value; `keep`.

    Equal values of a kind get equal numbers, counted from 1 in reading order, so that who is who
    stays readable within a document and nothing links two documents. A number is equal whatever
    its separators and width. Spans that overlap become one edit, named after the first.

    >>> from malmoi.document import Provenance
    >>> spans = (Span(0, 13, "pii:phone"), Span(14, 25, "pii:phone"))
    >>> doc = Document("a/1", "010-0000-1234 01000001234", Provenance("a", "", "", "", ""), spans=spans)
    >>> [e.text for e in mend(doc)]
    ['[전화번호1]', '[전화번호1]']
    >>> [e.text for e in mend(doc, actions=(("phone", "surrogate"),))]
    ['010-0000-0001', '010-0000-0001']
    """
    chosen = {**_DEFAULT, **dict(actions)}
    writer = _Writer(Surrogates(doc.text))
    edits = []
    for stretch in _stretches(doc.spans, chosen):
        kept, text = writer.write(
            doc.text[stretch.start : stretch.end], stretch, chosen.get(stretch.kind, "placeholder")
        )
        edits.append(Edit(stretch.start + kept, stretch.end, text, _PREFIX + stretch.kind))
    return tuple(edits)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What one edit replaces; `whole` where it is one value and not several that overlap."""

    start: int
    end: int
    kind: str
    whole: bool = True


def _stretches(spans: tuple[Span, ...], actions: Mapping[str, str]) -> list[_Stretch]:
    """What is redacted, sorted, overlaps joined; kinds that stay are left out."""
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
    """What stands for the values of one document."""

    surrogates: Surrogates
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)

    def write(self, value: str, stretch: _Stretch, action: str) -> tuple[int, str]:
        """How many code points of the value stay in front, and what is written for the others."""
        plain = _canonical(value, stretch.kind)
        seen = self.numbers.setdefault(stretch.kind, {})
        number = seen.setdefault(plain, len(seen) + 1)
        if stretch.whole and action == "surrogate" and (found := self.surrogates.of(stretch.kind, plain)):
            return 0, found
        if stretch.whole and action == "generalise" and (general := generalised.general(stretch.kind, value)):
            return general.kept, f"{general.text}[{general.name}{number}]"
        return 0, f"[{NAMES.get(stretch.kind, _OTHER)}{number}]"


def _canonical(value: str, kind: str) -> str:
    folded = unicodedata.normalize("NFKC", value).casefold()  # only compared, never written
    if kind not in _NUMBERS:
        return "".join(c for c in folded if c.isprintable() and not c.isspace())
    digits = "".join(c for c in folded if c.isdigit() or c in "*x●○■")
    return "0" + digits[2:].lstrip("0") if kind == "phone" and digits.startswith("82") else digits
