"""Replace personal data by typed placeholders, numbered within the document."""

from __future__ import annotations

import unicodedata
from typing import Final

from malmoi.document import Document, Edit, Edits, Span

VERSION = 1

_PREFIX: Final = "pii:"
_NAMES: Final = {
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
_OTHER: Final = "개인정보"  # a kind this table does not know yet is redacted all the same
_NUMBERS: Final = frozenset(("rrn", "frn", "phone", "brn", "crn", "account", "card"))


def mend(doc: Document) -> Edits:
    """An edit for each stretch marked `pii:…`, e.g. `[전화번호1]`; its reason is the kind of the span.

    Equal values of a kind get equal numbers, counted from 1 in reading order, so that who is who
    stays readable within a document and nothing links two documents. A number is equal whatever
    its separators and width. Spans that overlap become one edit, named after the first.

    >>> from malmoi.document import Provenance
    >>> spans = (Span(0, 13, "pii:phone"), Span(14, 25, "pii:phone"))
    >>> doc = Document("a/1", "010-0000-1234 01000001234", Provenance("a", "", "", "", ""), spans=spans)
    >>> [e.text for e in mend(doc)]
    ['[전화번호1]', '[전화번호1]']
    """
    numbers: dict[str, dict[str, int]] = {}
    edits = []
    for start, end, kind in _stretches(doc.spans):
        seen = numbers.setdefault(kind, {})
        number = seen.setdefault(_canonical(doc.text[start:end], kind), len(seen) + 1)
        edits.append(Edit(start, end, f"[{_NAMES.get(kind, _OTHER)}{number}]", _PREFIX + kind))
    return tuple(edits)


def _stretches(spans: tuple[Span, ...]) -> list[tuple[int, int, str]]:
    """Start, end and kind of what is redacted, sorted, overlaps joined."""
    marked = [s for s in spans if s.kind.startswith(_PREFIX) and s.start < s.end]
    stretches: list[tuple[int, int, str]] = []
    for span in sorted(marked, key=lambda s: (s.start, -s.end, s.kind)):
        if stretches and span.start < stretches[-1][1]:
            start, end, kind = stretches[-1]
            stretches[-1] = (start, max(end, span.end), kind)
        else:
            stretches.append((span.start, span.end, span.kind.removeprefix(_PREFIX)))
    return stretches


def _canonical(value: str, kind: str) -> str:
    folded = unicodedata.normalize("NFKC", value).casefold()  # only compared, never written
    if kind not in _NUMBERS:
        return "".join(c for c in folded if c.isprintable() and not c.isspace())
    digits = "".join(c for c in folded if c.isdigit() or c in "*x●○■")
    return "0" + digits[2:].lstrip("0") if kind == "phone" and digits.startswith("82") else digits
