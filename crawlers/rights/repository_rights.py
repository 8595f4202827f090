"""Licence evidence in the rights fields of a repository's record: a closed list of statements, each names one licence.

A statement outside the list grants nothing: it is unknown if its field names a licence, and left out if its field may
as well name a holder ("Copyright (c) 2020 the authors"). Open access says who may read; it is not a licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from crawlers.formats.html.runs import quote
from crawlers.rights.refusals import forbids
from malmoi.document import LicenceEvidence
from malmoi.licensing.licence_words import fold, licence_from_text
from malmoi.licensing.rights_decision import NONE, UNKNOWN

# Fields whose value is the name or the address of a licence; for `fields` of a LicenceRule.
FIELDS = (
    "dc.rights", "dc.rights.uri", "dc.rights.license", "dc.rights.licence", "dc.rights.cc", "dc.license", "dc.licence",
    "dc.licenseCondition", "dcterms.license", "dcterms.rights", "marc.540.a", "marc.540.f", "marc.540.u",
)  # fmt: skip
WITH_ADDRESS = frozenset(("licenseCondition",))  # elements that give the address of the licence in an attribute
_MAY_NAME_HOLDER = frozenset(("dc.rights", "dcterms.rights", "marc.540.a"))
_OTHER = frozenset(  # qualifiers of dc.rights that never name a licence
    ("holder", "copyrightholder", "accessrights", "access", "accesslevel", "embargo", "embargodate", "embargoreason")
)
# Who may read, not what may be done: OpenAIRE (info:eu-repo/semantics) and COAR (access_right); compared in lower case.
_READING: Mapping[str, bool] = MappingProxyType(
    {
        "openaccess": True,
        "open access": True,
        "open": True,
        "info:eu-repo/semantics/openaccess": True,
        "http://purl.org/coar/access_right/c_abf2": True,
        "restrictedaccess": False,
        "restricted access": False,
        "closed access": False,
        "embargoed access": False,
        "metadata only access": False,
        "info:eu-repo/semantics/restrictedaccess": False,
        "info:eu-repo/semantics/closedaccess": False,
        "info:eu-repo/semantics/embargoedaccess": False,
        "http://purl.org/coar/access_right/c_16ec": False,
        "http://purl.org/coar/access_right/c_14cb": False,
        "http://purl.org/coar/access_right/c_f1cf": False,
    }
)
# The names that Creative Commons gives its licences and DSpace writes into dc.rights beside dc.rights.uri.
_CC_NAME = re.compile(
    r"(?:creative commons )?attribution(?P<nc>[- ]non-?commercial)?(?:(?P<nd>[- ]no-?deriv(?:ative)?s)"
    r"|(?P<sa>[- ]share-?alike))? (?P<version>[1-4]\.[05])(?P<port> international| unported| (?:south )?korea)?"
    r"(?: licen[sc]e)?",
    re.IGNORECASE,
)
_KOGL_NAME = re.compile(  # the name, its abbreviation in brackets, and the type
    r"korea open government licen[sc]e ?\(?kogl\)?[ ,:-]{0,3}type ?-?([0-4])", re.IGNORECASE
)
_NAMES_LICENCE = re.compile(
    r"\bCC(?:L|[ -]?BY|[ -]?0)?\b|creative ?commons|attribution|kogl|government licen|licen[sc]e|공공누리|저작자 ?표시"
    r"|라이[선센]스|이용 ?허락|rightsstatements\.org",
    re.IGNORECASE,
)


def is_rights_field(name: str) -> bool:
    """Whether a field of a record is about rights.

    >>> is_rights_field("dc.rights.creativecommons"), is_rights_field("dc.rights.holder"), is_rights_field("dc.title")
    (True, False, False)
    """
    return name in FIELDS or (name.startswith("dc.rights.") and name.rpartition(".")[2].lower() not in _OTHER)


def read_statement(words: str) -> str:
    """Return the licence that a statement names; NONE if it forbids use, UNKNOWN if it closes access, else "".

    >>> read_statement("Attribution-NonCommercial 4.0 International"), read_statement("KOGL Type 1")
    ('CC-BY-NC-4.0', 'LicenseRef-KOGL-1')
    >>> read_statement("licensed Korea Open Government License"), read_statement("info:eu-repo/semantics/closedAccess")
    ('', 'unknown')
    """
    text = fold(words).strip(" .")
    if _READING.get(text.lower()) is False:
        return UNKNOWN
    if found := _CC_NAME.fullmatch(text):
        kind = "by" + ("-nc" if found["nc"] else "") + ("-nd" if found["nd"] else "-sa" if found["sa"] else "")
        port = (found["port"] or "").replace("South ", "").replace("south ", "")
        return licence_from_text(f"CC {kind} {found['version']}{port}") or ""
    if found := _KOGL_NAME.fullmatch(text):
        return licence_from_text(f"KOGL Type {found[1]}") or ""
    return licence_from_text(text) or (NONE if forbids(text) else "")


def find(rights: Iterable[tuple[str, str]], record: str) -> tuple[LicenceEvidence, ...]:
    """Return the evidence of scope `item` in the rights fields (name, value) of one record, each licence once a field.

    >>> said = [("dc.rights", "Copyright (c) 2020 가나"), ("dc.rights.uri", "https://a.kr/x")]
    >>> [(one.licence, one.place) for one in find(said, "")]
    [('unknown', 'dc.rights.uri')]
    """
    found: dict[tuple[str, str], LicenceEvidence] = {}
    for name, value in rights:
        words = " ".join(value.split())
        if not words or not is_rights_field(name) or _READING.get(words.lower()):
            continue
        licence = read_statement(words)
        if not licence and (name not in _MAY_NAME_HOLDER or _NAMES_LICENCE.search(words)):
            licence = UNKNOWN
        if licence:
            kind = "refusal-field" if licence == NONE else "field"
            found.setdefault((licence, name), LicenceEvidence(licence, kind, "item", quote(words), name, record))
    return tuple(found.values())
