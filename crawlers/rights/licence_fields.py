"""Licence detection in structured fields: table columns, keys of a JSON envelope, front matter, the XMP of a PDF.

Every field with the name of a licence field counts; several that disagree are all returned. `place` of the evidence is
the name of the field: the rule of a source says in `fields` which of them prove a licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crawlers.formats import document_metadata
from crawlers.formats.html.runs import quote
from crawlers.rights.policy_files import read_reservation
from crawlers.rights.refusals import forbids
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.licence_words import licence_from_text
from malmoi.licensing.rights_decision import NONE, UNKNOWN

_LICENCE = re.compile(
    r"(?:cc|data|dataset|content|contents|text|source|document|post|article)?licen[cs](?:e|es|ing)"
    r"(?:url|uri|link|href|name|id|type|title|info|code|spdx)?|spdx(?:id|licenseidentifier)?|ccl|ccltype"
    r"|kogl|kogltype"
    r"|(?:데이터|콘텐츠|저작물|자료)?라이[선센]스(?:명|유형|종류|주소|url|링크|정보)?"
    r"|(?:저작물)?이용허락(?:범위|조건|유형|표시)?|이용조건|이용범위|공공누리(?:유형|표시|코드|번호|주소"
    r"|url|링크|마크|라이[선센]스|저작권)?"
)
_RIGHTS = re.compile(
    r"(?:dc)?(?:copyright|rights|usagerights)(?:s|notice|text|info|statement|holder)?"
    r"|저작권(?:정보|표시|표기|유형|고지|안내|사항)?|이용권한|권리(?:정보|사항)?"
)
_INSIDE = frozenset(("meta", "metadata", "info", "rights", "메타", "메타데이터"))  # objects that describe the row
_NAMED = ("name", "id", "@id", "spdx", "spdx_id", "identifier", "code", "type", "title", "url", "uri", "href", "link")
_NAMES_LICENCE = re.compile(
    r"\bCC(?:L|[ -]?BY|[ -]?0)?\b|creative ?commons|크리에이티브|공공누리|KOGL|라이[선센]스|licen[cs]|저작자 ?표시",
    re.I,
)
_KOGL_TYPE = re.compile(r"(?:제\s?)?([0-4])\s?(?:유형)?")


def field_kind(name: str) -> str:
    """Return what a field of this name holds: "licence", "rights" (a holder or a notice), or "".

    >>> field_kind("License URL"), field_kind("공공누리 유형"), field_kind("dc:rights"), field_kind("license_plate")
    ('licence', 'licence', 'rights', '')
    """
    plain = re.sub(r"[\s_:.\-]", "", name).casefold()
    return "licence" if _LICENCE.fullmatch(plain) else "rights" if _RIGHTS.fullmatch(plain) else ""


def find(
    fields: Mapping[str, Any], record: str, *, named: str = "", strict: bool = False
) -> tuple[LicenceEvidence, ...]:
    """Return the evidence of scope `item` in `fields`, in field order, each licence once per field.

    The kind is `field`: a value is the name or the address of one licence as a whole, or it is `unknown`;
    `refusal-field` if it forbids use. `named` is the field that the source declares as its licence. `false` is unknown
    too; null and empty values are skipped. A rights field usually names a holder: it counts only if it names a licence
    or forbids use, and with `strict` whenever it is filled.

    >>> found = find({"license": {"name": "CC BY 4.0"}, "copyright": "가나 출판사"}, "r")
    >>> [(e.kind, e.licence, e.place) for e in found]
    [('field', 'CC-BY-4.0', 'license')]
    """
    out: dict[tuple[str, str], LicenceEvidence] = {}
    for place, value, what in _fields(fields, named):
        of_scheme = re.search("공공누리|kogl", place, re.I)  # there, "제1유형" or "1" is a licence
        for words in _values(value):
            number = _KOGL_TYPE.fullmatch(words) if of_scheme else None
            licence = licence_from_text(f"공공누리 제{number[1]}유형" if number else words)
            licence = licence or (NONE if forbids(words) else "")
            if not licence and (what == "licence" or strict or _NAMES_LICENCE.search(words)):
                licence = UNKNOWN
            if licence:
                kind = "refusal-field" if licence == NONE else "field"
                evidence = LicenceEvidence(licence, kind, "item", quote(words), place[:300], record)
                out.setdefault((licence, place), evidence)
    return tuple(out.values())


def _fields(fields: Mapping[Any, Any], named: str, inside: str = "") -> Iterator[tuple[str, Any, str]]:
    for name, value in fields.items():
        if not isinstance(name, str):
            continue
        what = "licence" if named and name == named else field_kind(name)
        if what:
            yield inside + name, value, what
        elif isinstance(value, dict) and not inside and name.strip().casefold() in _INSIDE:
            yield from _fields(value, "", f"{name}.")


def _values(value: object) -> Iterator[str]:
    """Return the words of a value; of an object, those of its name, id and address; of a list, those of its entries."""
    if isinstance(value, str):
        if words := " ".join(value.split()):
            yield words
    elif isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, list):
        for entry in value:
            yield from _values(entry)
    elif isinstance(value, dict):
        said = [value[name] for name in _NAMED if isinstance(value.get(name), str) and value[name].strip()]
        # Several names of one licence may include unrecognised ones ("type": "open"); one recognised name is enough.
        read = [words for words in said if licence_from_text(words)]
        if value:
            yield from read or _values(said[:1] or "an object without a name")
    elif value is not None and value == value:  # tables write NaN for a missing value
        yield str(value)


def find_in_pdf(body: bytes, record: str) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals) of the XMP packet of a PDF."""
    return read_xmp(document_metadata.xmp(body), record)


def read_xmp(fields: Mapping[str, str], record: str) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals) of the fields of an XMP packet, by field name: reservation, licence, rights.

    >>> evidence, signals = read_xmp({"tdm:reservation": "1", "cc:license": "https://example.kr/terms"}, "r")
    >>> [e.licence for e in evidence], [(s.name, s.effect) for s in signals]
    (['unknown'], [('tdm-reservation', 'opt-out')])
    """
    found, signals = list[LicenceEvidence](), list[Signal]()
    # The last two usually name a holder or a page of terms.
    for name in ("cc:license", "dc:rights", "xmpRights:WebStatement"):
        value = fields.get(name, "").strip()
        licence = licence_from_text(value) if value else None
        if value and not licence:
            licence = NONE if forbids(value) else UNKNOWN if name == "cc:license" else None
        if licence:
            found.append(LicenceEvidence(licence, "xmp", "item", quote(value), f"XMP {name}", record))
    if value := fields.get("tdm:reservation", "").strip():
        words = quote(value, fields.get("tdm:policy", ""))
        signals.append(Signal("tdm-reservation", read_reservation(value), words, "XMP tdm:reservation", record))
    return tuple(found), tuple(signals)
