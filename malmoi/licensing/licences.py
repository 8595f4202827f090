"""The table of known licences: what each allows, the ids for addresses and names, and expressions of ids.

A table and pure functions over it; standard library only. A licence that is not in the table is unknown,
and text under it is never released. The table states the policy of this project, not legal advice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import product
from types import MappingProxyType

from malmoi.canonical_json import spell_on_one_line
from malmoi.document import Use

_CC = "https://creativecommons.org/"
_KOGL = "https://www.kogl.or.kr/info/"
_LAW = "https://www.law.go.kr/법령/저작권법"
_KOGL_RULE = "terms of use of the Korea Open Government Licence, kogl.or.kr (types 0 and AI since 2026-01-28)"


@dataclass(frozen=True, slots=True)
class Licence:
    """One row of the decision table."""

    id: str  # SPDX id, or LicenseRef-… if SPDX has none
    name: str
    use: Use
    attribution: bool  # the licence requires naming the source; courtesy alone does not count
    share_alike: bool  # adapted text stays under the same licence
    family: str  # open, share-alike, copyleft, ai-training, non-commercial, no-derivatives, review
    spdx: bool  # whether `id` is on the SPDX list
    url: str
    note: str = ""
    rule: str = ""  # where the rule of this row comes from


def _creative_commons() -> Iterator[Licence]:
    kinds = ("by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd")
    ports = [(version, port) for version, known in PORTS.items() for port in (*_GENERIC[version], *known.split())]
    for kind, (version, port) in product(kinds, (*ports, ("4.0", ""))):
        short = f"CC-{kind}-{version}{'-' + port if port else ''}".upper()
        spdx = not port or short in _SPDX_PORTS
        restricted = "non-commercial" if "nc" in kind else "no-derivatives" if "nd" in kind else ""
        yield Licence(
            id=short if spdx else f"LicenseRef-{short}",
            name=f"Creative Commons {kind.upper()} {version}{' ' + port.upper() if port else ''}",
            use="exclude" if restricted else "redistribute",
            attribution=True,
            share_alike="sa" in kind,
            family=restricted or ("share-alike" if "sa" in kind else "open"),
            spdx=spdx,
            url=f"{_CC}licenses/{kind}/{version}/{port + '/' if port else ''}",
            note=_CC_NOTES.get(restricted, "name author, title, address, licence and changes"),
            rule="legal code, section 3 (1.0 to 3.0: section 4)",
        )


# The jurisdictions to whose law Creative Commons ported each version, and 3.0 for intergovernmental
# organisations, according to its archive of legal codes. Version 4.0 has no ports.
PORTS = {
    "1.0": "fi il nl",
    "2.0": "at au be br ca cl de es fr hr it jp kr nl pl tw uk za",
    "2.1": "au ca es jp",
    "2.5": "ar au bg br ca ch cn co dk es hr hu il in it mk mt mx my nl pe pl pt scotland se si tw za",
    "3.0": (
        "am at au az br ca ch cl cn cr cz de ec ee eg es fr ge gr gt hk hr ie igo it lu mk nl no nz ph pl pr pt ro rs"
        " sg th tw ug us ve vn za"
    ),
}
_GENERIC = {version: () if version == "2.1" else ("",) for version in PORTS}  # 2.1 exists only as ports
# SPDX licence list; the other ports have no id there.
_SPDX_PORTS = frozenset(
    "CC-BY-2.5-AU CC-BY-3.0-AT CC-BY-3.0-AU CC-BY-3.0-DE CC-BY-3.0-IGO CC-BY-3.0-NL CC-BY-3.0-US CC-BY-NC-3.0-DE"
    " CC-BY-NC-ND-3.0-DE CC-BY-NC-ND-3.0-IGO CC-BY-NC-SA-2.0-DE CC-BY-NC-SA-2.0-FR CC-BY-NC-SA-2.0-UK"
    " CC-BY-NC-SA-3.0-DE CC-BY-NC-SA-3.0-IGO CC-BY-ND-3.0-DE CC-BY-SA-2.0-UK CC-BY-SA-2.1-JP CC-BY-SA-3.0-AT"
    " CC-BY-SA-3.0-DE CC-BY-SA-3.0-IGO".split()
)
_CC_NOTES = {
    "non-commercial": "no commercial use",
    "no-derivatives": "no adapted text: cleaning and redaction are changes",
}


def _kogl() -> Iterator[Licence]:
    def row(number: str, name: str, use: Use, family: str, note: str = "", page: str = "") -> Licence:
        named = number not in ("0", "Expired")
        return Licence(
            f"LicenseRef-KOGL-{number}", name, use, named, False, family, False, _KOGL + page, note, _KOGL_RULE
        )

    yield row("0", "공공누리 제0유형", "redistribute", "open", "by words, never by an image's name", "infoRenewal.do")
    yield row(
        "Expired",
        "만료 공공저작물",
        "redistribute",
        "open",
        "the term is over; the portal moves these works to type 0",
        "infoRenewal.do",
    )
    yield row("1", "공공누리 제1유형 (출처표시)", "redistribute", "open", "", "licenseType1.do")
    limits: tuple[tuple[str, str, str, str], ...] = (
        ("2", "출처표시+상업적 이용금지", "non-commercial", "no commercial use"),
        ("3", "출처표시+변경금지", "no-derivatives", "cleaning and redaction are changes"),
        ("4", "출처표시+상업적 이용금지+변경금지", "non-commercial", "neither commercial use nor changes"),
    )
    for number, words, family, note in limits:
        page = f"licenseType{number}.do"
        yield row(number, f"공공누리 제{number}유형 ({words})", "exclude", family, note, page)
    ai, sold = "licenseTypeAi.do", "training only; whether data made from it may be sold on is unverified"
    yield row("1-AI", "공공누리 제1유형 + AI유형", "redistribute", "open", "follows type 1, which is freer", ai)
    for number in "234":
        yield row(f"{number}-AI", f"공공누리 제{number}유형 + AI유형", "train-only", "ai-training", sold, ai)
    yield row("AI", "공공누리 AI유형", "exclude", "review", "an addition to types 1 to 4; alone it grants nothing", ai)


def _statute() -> Iterator[Licence]:
    rows: tuple[tuple[str, str, Use, bool, str, str, str], ...] = (
        ("CA-Art7", "저작권법 제7조", "redistribute", False, "open", "laws, notices and judgments", "art. 7"),
        ("CA-Art24", "저작권법 제24조", "redistribute", True, "open", "whole sittings; never by speaker", "art. 24"),
        ("CA-Art24-2", "저작권법 제24조의2", "exclude", True, "review", "a person decides", "art. 24-2"),
        ("PD-expired", "보호기간 만료", "redistribute", False, "open", "needs the year of death", "arts 39 to 44"),
        (
            "OpenData-Unrestricted",
            "이용허락범위 제한 없음",
            "redistribute",
            True,
            "open",
            "only where no mark on the record asks for more than type 1",
            "Act on the Promotion of the Provision and Use of Public Data",
        ),
    )
    for short, name, use, attribution, family, note, rule in rows:
        url = "https://www.data.go.kr/" if short.startswith("Open") else _LAW
        yield Licence(f"LicenseRef-KR-{short}", name, use, attribution, False, family, False, url, note, rule)


def _software_and_data() -> Iterator[Licence]:
    def row(id_: str, name: str, url: str, family: str = "open", note: str = "", attribution: bool = True) -> Licence:
        alike = family != "open"
        return Licence(id_, name, "redistribute", attribution, alike, family, True, url, note, "licence text")

    notice, text = "ship the notice", "ship the licence text; a configuration of its own"
    yield row("CC0-1.0", "Creative Commons Zero 1.0", f"{_CC}publicdomain/zero/1.0/", attribution=False)
    yield row("CC-PDM-1.0", "Public Domain Mark 1.0", f"{_CC}publicdomain/mark/1.0/", attribution=False)
    yield row("CC-PDDC", "Public Domain Dedication (2004)", f"{_CC}licenses/publicdomain/", attribution=False)
    osi = "https://opensource.org/license/"
    for id_, name, page in (
        ("MIT", "MIT License", "mit"),
        ("BSD-2-Clause", "BSD 2-Clause License", "bsd-2-clause"),
        ("BSD-3-Clause", "BSD 3-Clause License", "bsd-3-clause"),
        ("ISC", "ISC License", "isc-license-txt"),
    ):
        yield row(id_, name, osi + page, note=notice)
    yield row("Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0", note=notice)
    gnu = (
        ("GPL", "2.0", "old-licenses/gpl-2.0.html"),
        ("GPL", "3.0", "gpl-3.0.html"),
        ("LGPL", "2.1", "old-licenses/lgpl-2.1.html"),
        ("LGPL", "3.0", "lgpl-3.0.html"),
        ("GFDL", "1.2", "old-licenses/fdl-1.2.html"),
        ("GFDL", "1.3", "fdl-1.3.html"),
    )
    for kind, version, page in gnu:
        for suffix in ("only", "or-later"):
            name = f"GNU {kind} {version} {suffix.replace('-', ' ')}"
            yield row(f"{kind}-{version}-{suffix}", name, f"https://www.gnu.org/licenses/{page}", "copyleft", text)
    yield row("MPL-2.0", "Mozilla Public License 2.0", "https://www.mozilla.org/MPL/2.0/", "copyleft", text)
    commons = "https://opendatacommons.org/licenses/"
    yield row("ODC-By-1.0", "Open Data Commons Attribution 1.0", f"{commons}by/1-0/")
    yield row("ODbL-1.0", "Open Database License 1.0", f"{commons}odbl/1-0/", "share-alike")
    yield row("CDLA-Permissive-2.0", "Community Data License Permissive 2.0", "https://cdla.dev/permissive-2-0/")


_ROWS = (*_creative_commons(), *_kogl(), *_statute(), *_software_and_data())
LICENCES: Mapping[str, Licence] = MappingProxyType({row.id: row for row in sorted(_ROWS, key=lambda row: row.id)})
_BY_FOLDED = {id_.casefold(): id_ for id_ in LICENCES}


def table_digest() -> str:
    """Return the digest (hex) of the whole table: part of the keys of all results that depend on it."""
    return _digest_rows(tuple(LICENCES.values()))


@lru_cache(maxsize=2)
def _digest_rows(rows: tuple[Licence, ...]) -> str:
    names = [field.name for field in fields(Licence)]
    told = [{name: getattr(row, name) for name in names} for row in rows]
    return hashlib.sha256(spell_on_one_line(told).encode()).hexdigest()


def licence_from_url(url: str) -> str | None:
    """Return the licence whose own page `url` is, or None for other pages, pages of several licences, missing versions.

    No page proves type 0: the word "0" meant *not free* before 2026.

    >>> licence_from_url("https://creativecommons.org/licenses/by-sa/4.0/deed.ko")
    'CC-BY-SA-4.0'
    >>> licence_from_url("http://www.kogl.or.kr/open/info/license_info/by.do;1;0;1")
    'LicenseRef-KOGL-1'
    >>> licence_from_url("https://www.kogl.or.kr/info/licenseType0.do") is None
    True
    """
    address = _ADDRESS.fullmatch(url.strip()) if len(url) <= 500 else None
    if address is None:
        return None
    host = address["host"].lower().removeprefix("www.").removesuffix(":443").removesuffix(":80")
    path = (address["path"] or "/").lower()
    for known, pattern, name in _PAGES:
        if host != known or not (match := pattern.fullmatch(path)):
            continue
        if name == "kogl":
            id_ = f"LicenseRef-KOGL-{_KOGL_PAGE.get(match[1], match[1])}"
        elif name == "gnu":  # a page of one version does not cover later versions
            id_ = f"{match[1].replace('fdl', 'gfdl')}-{match[2]}-only"
        else:
            id_ = name.format(*match.groups())
        return find_licence_id(id_)
    return _parse_cc_path(path) if host in ("creativecommons.org", "creativecommons.net") else None


_ADDRESS = re.compile(r"(?:https?:)?//(?P<host>[A-Za-z0-9.:-]{1,100})(?P<path>/[^?#;\s]*)?(?:[?#;]\S*)?", re.I)
_CC_PATH = re.compile(
    r"/(?:licenses/(?P<kind>by(?:-nc)?(?:-sa|-nd)?|by-nd-nc)/(?P<version>[1-4]\.[015])(?:/(?P<port>[a-z]{2,3}|scotland))?"
    r"|publicdomain/(?P<mark>zero|mark)/1\.0|licenses/(?P<old>publicdomain))"
    r"(?:/(?:deed|legalcode)(?:[._][a-z-]{2,8})?)?/?"
)
_KOGL_PAGE = {"by": "1", "nc": "2", "nd": "3", "all": "4"}
_PAGES = tuple(
    (host, re.compile(path), name)
    for host, path, name in (
        ("kogl.or.kr", r"/(?:open/)?info/license_info/(by|nc|nd|all)\.do", "kogl"),
        ("kogl.or.kr", r"/(?:open/)?info/licensetype([1-4]|ai)\.do", "kogl"),
        ("gnu.org", r"/licenses/(?:old-licenses/)?(l?gpl|fdl)-(\d\.\d)(?:\.[a-z-]{2,5})?(?:\.html|\.txt)?", "gnu"),
        ("opensource.org", r"/licenses?/(mit|isc)(?:-license(?:-txt|\.php)?)?/?", "{}"),
        ("opensource.org", r"/licenses?/bsd-([23])-clause/?", "BSD-{}-Clause"),
        ("opensource.org", r"/licenses?/(?:apache-2[.-]0)(?:\.php)?/?", "Apache-2.0"),
        ("apache.org", r"/licenses/license-2\.0(?:\.html|\.txt)?", "Apache-2.0"),
        ("mozilla.org", r"(?:/[a-z]{2}(?:-[a-z]{2})?)?/mpl/2\.0/?", "MPL-2.0"),
        ("opendatacommons.org", r"/licenses/by/(?:1[.-]0/?)?", "ODC-By-1.0"),
        ("opendatacommons.org", r"/licenses/odbl/(?:1[.-]0/?)?", "ODbL-1.0"),
        ("cdla.dev", r"/permissive-2-0/?", "CDLA-Permissive-2.0"),
        ("spdx.org", r"/licenses/([a-z0-9.-]{1,40}?)(?:\.html)?/?", "{}"),
    )
)


def _parse_cc_path(path: str) -> str | None:
    match = _CC_PATH.fullmatch(path)
    if match is None:
        return None
    if match["mark"]:
        return "CC0-1.0" if match["mark"] == "zero" else "CC-PDM-1.0"
    return "CC-PDDC" if match["old"] else cc_id(match["kind"], match["version"], match["port"] or "")


def cc_id(kind: str, version: str, port: str = "") -> str | None:
    """Return the id of a Creative Commons licence, or None if the table does not list it.

    >>> cc_id("by", "2.0", "kr"), cc_id("by-nc", "3.0", "igo"), cc_id("by", "3.0", "xx")
    ('LicenseRef-CC-BY-2.0-KR', 'LicenseRef-CC-BY-NC-3.0-IGO', None)
    """
    kind = "by-nc-nd" if kind.lower() == "by-nd-nc" else kind
    short = f"cc-{kind}-{version}{'-' + port if port else ''}".casefold()
    return _BY_FOLDED.get(short) or _BY_FOLDED.get(f"licenseref-{short}")


def find_licence_id(name: str) -> str | None:
    """Return `name` as the table spells it (case-insensitive), or None."""
    return _BY_FOLDED.get(name.casefold())


# Freest first; docs/rights.md.
FAMILIES = ("open", "share-alike", "copyleft", "ai-training", "non-commercial", "no-derivatives", "review")
_ID = re.compile(r"[A-Za-z0-9.+-]+")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+ -]*")


def ids(expression: str) -> tuple[str, ...]:
    """Return the licence ids in an expression, in order.

    >>> ids("CC-BY-SA-4.0 OR GFDL-1.3-or-later")
    ('CC-BY-SA-4.0', 'GFDL-1.3-or-later')
    """
    return tuple(w for w in _ID.findall(expression) if w not in ("AND", "OR", "WITH"))


def family(expression: str) -> str:
    """Return the family, and so the configuration, of `expression`: the freest of a choice, else the strictest.

    >>> family("CC-BY-SA-4.0"), family("MIT OR GPL-2.0-only"), family("MIT AND MPL-2.0")
    ('share-alike', 'open', 'copyleft')
    """
    found = sorted((LICENCES[id_].family for id_ in ids(expression)), key=FAMILIES.index)
    return found[0] if " OR " in expression and " AND " not in expression else found[-1]


def default_family(documents: Mapping[str, int]) -> str | None:
    """Return the family of a reader who names none: `open`, or else the one with the most documents, by family.

    >>> default_family({"copyleft": 9, "open": 1}), default_family({"share-alike": 2, "copyleft": 2})
    ('open', 'copyleft')
    """
    return min(documents, key=lambda name: (name != "open", -documents[name], name), default=None)


def folder_name(expression: str) -> str:
    """Return a folder name for a licence expression; different expressions have different names.

    >>> folder_name("(MIT OR ISC) AND CC0-1.0").startswith("MIT_OR_ISC_AND_CC0-1.0-")
    True
    """
    if _PLAIN.fullmatch(expression):
        return expression.replace(" ", "_")
    plain = re.sub(r"[^A-Za-z0-9.+-]+", "_", expression).strip("._-") or "licence"
    return f"{plain}-{hashlib.sha256(expression.encode()).hexdigest()[:8]}"
