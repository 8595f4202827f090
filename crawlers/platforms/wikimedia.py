"""Shared code of Wikimedia wikis: the URLs of their dumps, licence claims, and licence templates."""

from __future__ import annotations

import re
from typing import Any

from crawlers.formats import ParsedItem
from crawlers.formats.html.runs import quote
from crawlers.formats.mediawiki import mediawiki_export
from malmoi.document import LicenceEvidence
from malmoi.licensing.licences import find_licence_id
from malmoi.licensing.rights_decision import UNKNOWN, licence_from_text
from malmoi.source import Dump, Extracted, LicenceClaim, LicenceRule, Manners, Source

LEGAL = "https://dumps.wikimedia.org/legal.html"
SHARE_ALIKE = LicenceClaim(
    "CC-BY-SA-4.0",
    "all original textual content is licensed under the GNU Free Documentation License (GFDL) and the "
    "Creative Commons Attribution-Share-Alike 4.0 License",
    url=LEGAL,
)
NEWS = LicenceClaim(
    "CC-BY-2.5",
    "all Wikinews textual content is licensed under the Creative Commons Attribution 2.5 License",
    url=LEGAL,
)
ATTRIBUTION = "「{title}」, {publisher}, {url}, {licence}"  # the page links to its history, which names the authors
UNVERIFIED = (
    "The dump, its robots.txt and the licence page have not been fetched by this project. The words of the claim are "
    "those that other projects quote from the page; a collection stops where they do not stand there."
)

# Templates of 위키문헌 that say why a work is free, in lower case. They are statements of its editors.
_EXPIRED = re.compile(r"pd-old-(?:[7-9]\d|100)(?:-.{1,20})?|pd-대한민국(?:-만료)?|pd-skorea|pd-south korea")
_NOT_PROTECTED = frozenset(("pd-krgov", "pd-대한민국-정부", "pd-kr-gov"))
# Free by the law of another country only: no evidence here, neither for nor against.
_ELSEWHERE = re.compile(r"pd-(?:us|1923|1929|192\d|1996|old-50|old-60|usgov|us-.{1,40})(?:-.{1,20})?")
_TEMPLATE = re.compile(
    r"\{\{\s{0,5}((?:pd|cc|gfdl|kogl|공공누리|저작권|자유 ?저작물|번역 ?저작권|번역 ?라이선스|translation license)"
    r"(?:[- ][^|{}\[\]\n]{1,60}?|[0-9]?))\s{0,5}(?:\|[^{}]{0,300})?(?:\}\}|\{\{)",
    re.IGNORECASE,
)
PLACE = "licence template"  # of a page; the name of a field for its rule


def text(parsed: ParsedItem) -> Extracted:
    """Extract the prose of a page of an export."""
    return mediawiki_export.text(parsed.item)


def source(name: str, *, unverified: str = "How many blocks the dump comes to.", **facts: Any) -> Source:
    """Return the source of the wiki `name`: `facts` are those fields of Source in which the wikis differ."""
    usual: dict[str, Any] = {
        "claim": (SHARE_ALIKE,),
        "rule": LicenceRule(proofs=("dump-claim",), expected=("CC-BY-SA-4.0",)),
        "domain": "general",
        "attribution": ATTRIBUTION,
    }
    declared = usual | facts
    # One request at a time, with the contact of the operator: the user agent policy of the foundation.
    manners = Manners(delay=1.0, concurrency=1)
    return Source(name, access=dump(name), manners=manners, unverified=f"{UNVERIFIED} {unverified}", **declared)


def dump(wiki: str) -> Dump:
    """Return the latest dump of the current revisions of all articles and the pages that articles are built from.

    >>> dump("kowiki").url
    'https://dumps.wikimedia.org/kowiki/latest/kowiki-latest-pages-articles.xml.bz2'
    """
    return Dump(
        url=f"https://dumps.wikimedia.org/{wiki}/latest/{wiki}-latest-pages-articles.xml.bz2",
        record="page",
        grant="https://meta.wikimedia.org/wiki/Data_dumps",
    )


def templates(markup: str, record: str) -> tuple[LicenceEvidence, ...]:
    """Return the evidence in the licence templates of a page of 위키문헌.

    An unknown template gives an unknown licence, which excludes the page. A template that only says that a
    work is free elsewhere counts as unknown unless another template decides.

    >>> [one.licence for one in templates("…\\n{{PD-old-70}}\\n{{PD-1923}}", "r")], templates("글", "r")
    (['LicenseRef-KR-PD-expired'], ())
    """
    read: list[tuple[str, str]] = []  # licence, "" of a template about another country, and the template as written
    for found in _TEMPLATE.finditer(markup):
        name = " ".join(found[1].replace("_", " ").lower().split())
        if _EXPIRED.fullmatch(name):
            licence = "LicenseRef-KR-PD-expired"
        elif name in _NOT_PROTECTED:
            licence = "LicenseRef-KR-CA-Art7"
        elif _ELSEWHERE.fullmatch(name):
            licence = ""
        else:
            licence = find_licence_id(found[1].upper()) or licence_from_text(found[1]) or UNKNOWN
        read.append((licence, found[0].removesuffix("{{")))
    known = [(licence, words) for licence, words in read if licence]
    chosen = known or [(UNKNOWN, words) for _, words in read]
    return tuple(
        LicenceEvidence(licence, "field", "item", quote(words), PLACE, record)
        for licence, words in dict.fromkeys(chosen)
    )
