"""What a licence is called, where it stands and what it asks, in our own short words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_CC_TERMS = {"BY": "name the author, title, address and licence", "SA": "share adaptations under the same licence"}
_CC_TERMS |= {"NC": "no commercial use", "ND": "no adaptations"}
_KOGL = {"1": "BY", "2": "BY-NC", "3": "BY-ND", "4": "BY-NC-ND"}
_NOTICE = "keep the copyright notice and the licence text"
_NONE = "none; naming the origin is a courtesy"

# id → (title, address, duty)
_KNOWN = {
    "CC0-1.0": ("Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", _NONE),
    "CC-PDM-1.0": ("Public Domain Mark 1.0", "https://creativecommons.org/publicdomain/mark/1.0/", _NONE),
    "MIT": ("MIT License", "https://spdx.org/licenses/MIT.html", _NOTICE),
    "Apache-2.0": ("Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0", f"{_NOTICE}; state changes"),
    "BSD-2-Clause": ("BSD 2-Clause", "https://spdx.org/licenses/BSD-2-Clause.html", _NOTICE),
    "BSD-3-Clause": ("BSD 3-Clause", "https://spdx.org/licenses/BSD-3-Clause.html", _NOTICE),
    "ISC": ("ISC License", "https://spdx.org/licenses/ISC.html", _NOTICE),
    "LicenseRef-KOGL-0": ("공공누리 제0유형", "https://www.kogl.or.kr/info/infoRenewal.do", _NONE),
    "LicenseRef-KOGL-Expired": ("만료 공공저작물", "https://www.kogl.or.kr/info/infoRenewal.do", _NONE),
    "LicenseRef-KR-CA-Art7": (
        "Korean Copyright Act, article 7: works not protected (laws, notices, judgments)",
        "https://www.law.go.kr/법령/저작권법/제7조",
        _NONE,
    ),
    "LicenseRef-KR-CA-Art24": (
        "Korean Copyright Act, article 24: political speech and statements in assemblies and courts",
        "https://www.law.go.kr/법령/저작권법/제24조",
        "name the origin (article 37); do not compile the statements of one speaker",
    ),
    "LicenseRef-KR-CA-Art24-2": (
        "Korean Copyright Act, article 24-2: works of the state and of local governments",
        "https://www.law.go.kr/법령/저작권법/제24조의2",
        "name the origin (article 37)",
    ),
    "LicenseRef-KR-PD-expired": (
        "Term of protection expired in Korea",
        "https://www.law.go.kr/법령/저작권법/제39조",
        "none; moral rights are to be respected",
    ),
    "LicenseRef-KR-OpenData-Unrestricted": (
        "이용허락범위 제한 없음 (Korean open data without limits)",
        "https://www.data.go.kr/",
        "name the origin",
    ),
}
_ID = re.compile(r"[A-Za-z0-9.+-]+")
_CC = re.compile(r"(?:LicenseRef-)?CC-(BY(?:-NC)?(?:-SA|-ND)?)-(\d\.\d)(?:-([A-Z]{2,3}))?")
_KOGL_ID = re.compile(r"LicenseRef-KOGL-([1-4])(-AI)?")


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence: id, title, address, and what it asks of those who use the text."""

    id: str
    title: str
    url: str
    duty: str


def ids(expression: str) -> tuple[str, ...]:
    """The licence ids in an expression, in order.

    >>> ids("CC-BY-SA-4.0 OR GFDL-1.3-or-later")
    ('CC-BY-SA-4.0', 'GFDL-1.3-or-later')
    """
    return tuple(w for w in _ID.findall(expression) if w not in ("AND", "OR", "WITH"))


def describe(licence: str) -> Licence:
    """What is known of the licence id; one that is not known refers to the archived evidence.

    >>> describe("CC-BY-SA-4.0").url
    'https://creativecommons.org/licenses/by-sa/4.0/'
    """
    if licence in _KNOWN:
        return Licence(licence, *_KNOWN[licence])
    if cc := _CC.fullmatch(licence):
        kind, version, port = cc.groups()
        url = f"https://creativecommons.org/licenses/{kind.lower()}/{version}/" + (f"{port.lower()}/" if port else "")
        title = f"Creative Commons {kind} {version}" + (f" {port}" if port else "")
        return Licence(licence, title, url, "; ".join(_CC_TERMS[t] for t in kind.split("-")))
    if kogl := _KOGL_ID.fullmatch(licence):
        number, ai = kogl.groups()
        duty = "; ".join(_CC_TERMS[t] for t in _KOGL[number].split("-"))
        title = f"공공누리 제{number}유형 (KOGL type {number}, {_KOGL[number]})" + (
            ", training of AI allowed" if ai else ""
        )
        page = "licenseTypeAi" if ai else f"licenseType{number}"
        return Licence(licence, title, f"https://www.kogl.or.kr/info/{page}.do", duty)
    url = "" if licence.startswith("LicenseRef-") else f"https://spdx.org/licenses/{licence}.html"
    return Licence(licence, licence, url, "read the licence text; the archived evidence shows where it was found")


def page(expressions: Iterable[str]) -> str:
    """LICENSE.md: every licence of a release with its address and its duty."""
    wanted = sorted(set(expressions))
    lines = [
        "# Licences · 이용허락",
        "",
        "Each folder below `data/` holds texts of one licence expression. The wording here is ours and short;",
        "what binds is the licence itself. Proof for each document: `audit/licence_evidence.parquet`.",
        "The sentence of attribution for each document: the column `attribution`. This is not legal advice.",
    ]
    for expression in wanted:
        lines += ["", f"## {expression}", ""]
        for found in map(describe, ids(expression)):
            address = f" — <{found.url}>" if found.url else ""
            lines += [f"* **{found.id}**: {found.title}{address}", f"  Asks: {found.duty}."]
    return "\n".join(lines) + "\n"
