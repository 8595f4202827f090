"""Find unprotected texts (Copyright Act of Korea) and works with expired protection, if the page proves it.

Laws, ordinances and judgments (art. 7) and whole sittings of the Assembly (art. 24), each on the official site
that publishes them; works of an author whose year of death the page states. All other cases need marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

from crawlers.formats.html.runs import PageEvidence, Run, quote
from crawlers.rights.declared import is_matched
from malmoi.source import LicenceRule

LAST_YEAR = 1962  # of death: the term of 50 years had lapsed when it was extended to 70 (2013-07-01)
MAX_RUNS = 400  # of a page that are examined
_ART_7, _ART_24, _EXPIRED = "LicenseRef-KR-CA-Art7", "LicenseRef-KR-CA-Art24", "LicenseRef-KR-PD-expired"
_LAW = re.compile(r"/(?:법령|자치법규|행정규칙|판례|헌재결정례)/[^/]{1,200}(?:/[^/]{0,200}){0,2}")
_LAW_TEXT = re.compile(
    r"^\W{0,3}제\s?\d{1,4}\s?조(?:의\s?\d{1,3})?\s?[(\s]|^\W{0,3}주\s?문\s|^\W{0,3}【\s?(?:주\s?문|이\s?유)\s?】"
)
_MINUTES = re.compile(r"/assembly/(?:viewer|mnts)/minutes/[\w./-]{1,100}")
_SITTING = re.compile(r"^\(?\s?\d{1,2}시\s?\d{1,2}분\s?(?:개의|개회|산회|폐회|회의중지|계속개의)")
_OVER = re.compile(
    r"(?:저작권\s?)?보호\s?기간\s?(?:이\s)?만료(?:\s?저작물)?(?:\s?\((?:자유\s?이용|조건\s?없이\s?이용)\))?|만료\s?저작물"
)
_AUTHOR = re.compile(r"저작자|저자|지은이|작가|작자|글쓴이")
_LIVED = re.compile(r"[^\d]{2,40}\(\s?1[89]\d\d\s?[~∼–-]\s?(1[89]\d\d)\s?\)")


def find(shown: Sequence[Run], url: str, rule: LicenceRule) -> Iterator[PageEvidence]:
    """Yield the evidence of a page at `url`: kind `statute`, scope item.

    The register is one of those that the State publishes, or the boards of a source that declares the proof.
    """
    parts = urlsplit(url)
    host, path = (parts.hostname or "").removeprefix("www."), unquote(parts.path)
    here = shown[:MAX_RUNS]
    declared = "statute" in rule.proofs and bool(rule.boards) and is_matched(rule.boards, url)
    if declared or (host == "law.go.kr" and _LAW.fullmatch(path)):
        yield from _prove(here, _LAW_TEXT, _ART_7, 1)
    if declared or (host == "record.assembly.go.kr" and _MINUTES.fullmatch(path)):
        yield from _prove(here, _SITTING, _ART_24, 2)
    yield from _find_expired(here)


def _prove(shown: Sequence[Run], words: re.Pattern[str], licence: str, least: int) -> Iterator[PageEvidence]:
    """Yield the licence if at least `least` runs show that the text is of the kind that its address names."""
    proofs = [run for run in shown if run.state.part != "site" and words.search(run.text[:100])]
    if len(proofs) >= least:
        first = proofs[0]
        yield PageEvidence(licence, "statute", quote(first.text[:100]), first.owner, first.state)


def _find_expired(shown: Sequence[Run]) -> Iterator[PageEvidence]:
    """Find expired works: a cell states the expiry, and all authors named in other cells died by LAST_YEAR."""
    cells = [run for run in shown if run.owner.tag in ("td", "dd") and run.state.part != "site"]
    said = next((run for run in cells if _OVER.fullmatch(run.text)), None)
    if said is None:
        return
    authors = [run.text for run in cells if _AUTHOR.search(_label(run))]
    died = [match[1] for author in authors if (match := _LIVED.fullmatch(author))]
    if authors and len(died) == len(authors) and all(int(year) <= LAST_YEAR for year in died):
        yield PageEvidence(_EXPIRED, "statute", quote(said.text, *authors), said.owner, said.state)


def _label(run: Run) -> str:
    before = run.owner.getprevious()
    return (before.text or "")[:40] if before is not None and before.tag in ("th", "td", "dt") else ""
