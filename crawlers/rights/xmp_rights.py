"""Read the rights statements in the XMP packet of a PDF: text and data mining reservation, licence, rights."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from crawlers.formats.html.runs import quote
from crawlers.rights.host import usage_preferences
from crawlers.rights.refusals import forbids
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.licence_words import licence_from_text
from malmoi.licensing.rights_decision import NONE, UNKNOWN
from malmoi.source import Item

_LICENCE = "cc:license"
_RIGHTS = ("dc:rights", "xmpRights:WebStatement")  # usually names a holder or a page of terms


def find(item: Item, kind: str) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals) of the XMP packet of a PDF; both empty for other formats."""
    if kind != "pdf" or not isinstance(item.body, bytes) or find_spec("crawlers.formats.document_metadata") is None:
        return (), ()
    said: Mapping[str, str] = import_module("crawlers.formats.document_metadata").xmp(item.body)
    return read(said, item.record)


def read(said: Mapping[str, str], record: str) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals) of the fields of a packet, by field name.

    >>> evidence, signals = read({"tdm:reservation": "1", "cc:license": "https://example.kr/terms"}, "r")
    >>> [e.licence for e in evidence], [(s.name, s.effect) for s in signals]
    (['unknown'], [('tdm-reservation', 'opt-out')])
    """
    found = []
    for name in (_LICENCE, *_RIGHTS):
        if not (value := said.get(name, "").strip()):
            continue
        licence = licence_from_text(value) or (NONE if forbids(value) else UNKNOWN if name == _LICENCE else "")
        if licence:
            found.append(LicenceEvidence(licence, "xmp", "item", quote(value), f"XMP {name}", record))
    signals = ()
    if value := said.get("tdm:reservation", "").strip():
        effect = "opt-out" if usage_preferences.is_reserved(value) else "granted"
        words = quote(value, said.get("tdm:policy", ""))
        signals = (Signal("tdm-reservation", effect, words, "XMP tdm:reservation", record),)  # type: ignore[assignment, arg-type]
    return tuple(found), signals
