"""Redact personal data: replace it by typed placeholders, by reserved surrogates, or by a generalised value.

docs/personal-data.md describes what each action leaves of each kind.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import re2
from pydantic import BeforeValidator

from filters.pii_rules import repeats
from filters.pii_rules.number_checks import has_valid_business_checksum
from filters.pii_rules.repeats import canonical_form
from malmoi import recipe as recipes
from malmoi import url_privacy
from malmoi.apply import Verb, apply
from malmoi.document import Document, Edit, Edits, Field, Provenance, Span
from malmoi.recipe import Recipe, Step

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
        _refuse(action != "generalise" or kind in GENERAL, f"{kind} cannot be generalised", "", GENERAL)
        _refuse(action != "surrogate" or kind in RESERVED, f"{kind} has no reserved values", "", RESERVED)
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
    the placeholder if its range is exhausted; `generalise`, the default of address and birth_date: `부산 없는구
    [상세주소1]`, `1991년 [월일1]`, or the placeholder if the value has no general part; `keep`.

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
    # What is masked in the text is masked beside it. The author's name stays: a licence may require it.
    edits += _redact_field("title", doc.title, doc, chosen, writer)
    edits += _redact_field("author", doc.author, doc, {**chosen, "name": "keep"}, writer)
    url = url_privacy.decode_escapes(doc.provenance.url)
    of_url = list(_redact_field("url", url, doc, chosen, writer))
    if of_url and url != doc.provenance.url:
        for edit in reversed(of_url):
            url = url[: edit.start] + edit.text + url[edit.end :]
        of_url = [Edit(0, len(doc.provenance.url), url, of_url[0].reason, "url")]
    return (*edits, *of_url)


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
            name = NAMES.get(stretch.kind, _OTHER)
            numbers = re2.findall(f"\\[{name}([0-9]{{1,6}})\\]", self.text) if f"[{name}" in self.text else ()
            self.counted[stretch.kind] = max(map(int, numbers), default=0)
        number = seen.setdefault(plain, self.counted[stretch.kind] + len(seen) + 1)
        if stretch.whole and action == "surrogate" and (found := self.surrogates.find_surrogate(stretch.kind, plain)):
            return 0, found
        if stretch.whole and action == "generalise" and (general := generalise(stretch.kind, value)):
            return general.kept, f"{general.text}[{general.name}{number}]"
        return 0, f"[{NAMES.get(stretch.kind, _OTHER)}{number}]"


_bind = lru_cache(maxsize=4)(recipes.bind)


def make_redactor(recipe: Recipe) -> partial[str] | None:
    """Return the recipe's redaction, for all strings of a release but document texts; None if it does not redact."""
    steps = tuple(s for _, stage in recipe.steps for s in stage if s.filter in ("personal_data", "redact"))
    # Of phrases, what `quarantine` finds in an id: no names, and no values that institutions may keep.
    of_phrases = tuple(
        step if kinds is None else replace(step, params=(("kinds", tuple(k for k in kinds if k != "name")),))
        for step in steps
        for kinds in (dict(step.params).get("kinds"),)
    )
    return partial(_redact, steps, of_phrases) if steps else None


def _redact(
    steps: tuple[Step, ...], of_phrases: tuple[Step, ...], text: str, *, phrase: bool = False, shown: str = ""
) -> str:
    steps = of_phrases if phrase else steps
    doc = _mark(steps, text)
    stays = {s for s in doc.spans if shown and repeats.is_shown(s.kind.removeprefix("pii:"), s.value or "", shown)}
    doc = replace(doc, spans=tuple(s for s in doc.spans if s not in stays))
    return _apply_steps(doc, steps, "mend").text if doc.spans else text


@lru_cache(maxsize=4096)  # the pages of a host quote the same licence mark
def _mark(steps: tuple[Step, ...], text: str) -> Document:
    return _apply_steps(Document("", text, Provenance("", "", "", "", "")), steps, "mark")


def _apply_steps(doc: Document, steps: tuple[Step, ...], verb: Verb) -> Document:
    for bound in _bind(steps):
        if bound.verb == verb:
            doc = apply(doc, bound.name, bound.verb, bound.call(doc))
    return doc


GENERAL: Final = ("address", "birth_date")
_PROVINCE: Final = (
    "(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주|충청북|충청남|전라북|전라남|"
    "경상북|경상남)(?:특별시|광역시|특별자치시|특별자치도|시|도)?"
)
_S: Final = "[ \u00a0\u3000\t\n]{1,3}"
# Province, city, county or district, then a township or quarter by law (법정동, 행정동), each a separate word.
_REGION: Final = re2.compile(
    f"^(?:{_PROVINCE}{_S})?(?:[가-힣]{{1,6}}(?:시|군|구){_S}){{0,2}}(?:[가-힣]{{1,6}}[0-9]{{0,2}}(?:읍|면|동|가){_S})?"
)
_YEAR: Final = re2.compile("^['’]?([0-9]{4}|[0-9]{2})[^0-9A-Za-z]+[0-9]{1,2}[^0-9A-Za-z]+[0-9]{1,2}[^0-9]*$")
_DIGITS: Final = re2.compile("^(?:([0-9]{4})[0-9]{4}|([0-9]{2})[0-9]{4})$")
_ENGLISH: Final = re2.compile("^[0-9A-Za-z., ]*[A-Za-z][0-9A-Za-z., ]*[ .,]((?:19|20)[0-9]{2})$")


@dataclass(frozen=True, slots=True)
class General:
    """A generalised value: its first `kept` code points, `text`, and a placeholder of this name."""

    kept: int
    text: str
    name: str


def generalise(kind: str, value: str) -> General | None:
    """Return the general form of a value of one of GENERAL, or None if no part of the value may stay.

    >>> generalise("address", "부산 없는구 없는동 9, 1동 2호")
    General(kept=11, text='', name='상세주소')
    >>> generalise("birth_date", "1991년 3월 32일").text, generalise("birth_date", "910332").text
    ('1991년 ', '91년 ')
    """
    if kind == "address":
        region = _REGION.match(value)
        kept = len(region.group()) if region is not None else 0
        return General(kept, "", "상세주소") if 0 < kept < len(value) else None
    if kind != "birth_date":
        return None
    folded = unicodedata.normalize("NFKC", value)
    plain = "".join(c for c in folded if c.isprintable() and not c.isspace())
    match = _YEAR.match(plain) or _DIGITS.match(plain) or _ENGLISH.match(folded)
    year = next(filter(None, match.groups()), "") if match is not None else ""
    if len(year) == 4 and not "1900" <= year <= "2039":
        return None
    return General(0, f"{year}년 ", "월일") if year else None


_GAP: Final = "[^0-9A-Za-z]{0,3}"


@dataclass(frozen=True, slots=True)
class Reserve:
    """One range: the value for each number from 1 to `size`, and a pattern for its values in a text."""

    form: Callable[[int], str]
    size: int
    written: re2._Regexp  # over NFKC text; its groups together are the digits of `form`, or its last part


def _business_number(number: int) -> str:
    """Return a number of tax office 000, which does not exist, with a check digit one too high.

    >>> _business_number(1)
    '000-00-00016'
    """
    head = f"00000{number:04d}"
    sound = next(d for d in range(10) if has_valid_business_checksum(f"{head}{d}"))
    return f"000-00-{head[5:]}{(sound + 1) % 10}"


def _ipv4(number: int) -> str:
    """Return an address from TEST-NET-1 to 3 (RFC 5737), in this order.

    >>> _ipv4(1), _ipv4(255)
    ('192.0.2.1', '198.51.100.1')
    """
    net = ("192.0.2", "198.51.100", "203.0.113")[(number - 1) // 254]
    return f"{net}.{(number - 1) % 254 + 1}"


def _reserve(form: Callable[[int], str], size: int, written: str) -> Reserve:
    return Reserve(form, size, re2.compile(f"(?i){written}"))


_RESERVES: Final[dict[str, Reserve]] = {
    # No subscriber number begins with 0 (numbering plan of Korea); the last group stays below 1000.
    "phone": _reserve(lambda n: f"010-0000-{n:04d}", 999, f"(010){_GAP}(0000){_GAP}(0[0-9]{{3}})"),
    "email": _reserve(lambda n: f"user{n}@example.com", 9999, "(user[0-9]{1,4}@example[.]com)"),  # RFC 2606
    "ip": _reserve(_ipv4, 762, "((?:192[.]0[.]2|198[.]51[.]100|203[.]0[.]113)[.][0-9]{1,3})"),
    "ipv6": _reserve(lambda n: f"2001:db8::{n:x}", 0xFFFF, "(2001:db8::[0-9a-f]{1,4})"),  # RFC 3849
    "mac": _reserve(  # RFC 7042, 2.1.2
        lambda n: f"00-00-5E-00-53-{n:02X}", 255, "(00)[-:.]?(00)[-:.]?(5E)[-:.]?(00)[-:.]?(53)[-:.]?([0-9A-F]{2})"
    ),
    # No issuer begins with 0 (ISO/IEC 7812-1).
    "card": _reserve(lambda n: f"0000-0000-{n:04d}-0000", 9999, f"(0000){_GAP}(0000){_GAP}([0-9]{{4}}){_GAP}(0000)"),
    "brn": _reserve(_business_number, 9999, f"(000){_GAP}(00){_GAP}([0-9]{{5}})"),
    # Month 00 does not exist.
    "rrn": _reserve(lambda n: f"000000-{n:07d}", 999_999, f"(000000){_GAP}(0[0-9]{{6}})"),
    "frn": _reserve(lambda n: f"000000-5{n:06d}", 999_999, f"(000000){_GAP}(5[0-9]{{6}})"),
}
RESERVED: Final = tuple(kind for kind in _RESERVES if kind != "ipv6")


@dataclass(slots=True)
class Surrogates:
    """The surrogates of one text: one per value and kind, and none that already occurs in the text."""

    text: str
    _last: dict[str, int] = field(default_factory=dict)
    _given: dict[tuple[str, str], str] = field(default_factory=dict)
    _taken: dict[str, frozenset[str]] = field(default_factory=dict)
    _plain: str | None = None

    def find_surrogate(self, kind: str, value: str) -> str:
        """Return the surrogate of a canonical `value`, or "" if the range is exhausted.

        >>> Surrogates("010-0000-0001").find_surrogate("phone", "01000001234")
        '010-0000-0002'
        """
        range_ = "ipv6" if kind == "ip" and ":" in value else kind
        if (range_, value) not in self._given:
            self._given[range_, value] = self._next(range_)
        return self._given[range_, value]

    def _next(self, range_: str) -> str:
        reserve = _RESERVES[range_]
        taken = self._find_taken(range_, reserve)
        for number in range(self._last.get(range_, 0) + 1, reserve.size + 1):
            self._last[range_] = number
            if _strip_signs(found := reserve.form(number)) not in taken:
                return found
        self._last[range_] = reserve.size
        return ""

    def _find_taken(self, range_: str, reserve: Reserve) -> frozenset[str]:
        """Return the values of a range that occur in the original text."""
        if range_ not in self._taken:
            if self._plain is None:
                self._plain = unicodedata.normalize("NFKC", self.text)
            found = reserve.written.finditer(self._plain)
            self._taken[range_] = frozenset(_strip_signs("".join(match.groups())) for match in found)
        return self._taken[range_]


def _strip_signs(value: str) -> str:
    return "".join(c for c in value.casefold() if c not in "-. ")
