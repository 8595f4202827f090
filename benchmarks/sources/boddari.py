"""Boddari: openly licensed Korean text in CSV and text files; the licence differs by file, and by row in the tales."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.sources.corpora import CORPORA
from crawlers import defaults
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence
from malmoi.source import Folder, Item, LicenceClaim, LicenceRule, Source

_WIKINEWS = "크리에이티브 커먼즈 저작자표시 2.5 라이선스(CC-BY)"
_ACORN = "크리에이티브 커먼즈 코리아 저작자표시 2.0 대한민국 라이센스(CC BY 2.0 KR)"

SOURCE = Source(
    name="boddari",
    title="보따리",
    publisher="보따리 프로젝트",
    access=Folder(CORPORA / "boddari", include=("*.csv", "unesco/*.txt")),
    claim=(
        LicenceClaim("CC-BY-2.5", _WIKINEWS, file="README.md", only=("folder:boddari/wikinews.csv",)),
        LicenceClaim("LicenseRef-CC-BY-2.0-KR", _ACORN, file="README.md", only=("folder:boddari/book_review02.csv",)),
        LicenceClaim(
            "CC-BY-SA-3.0-IGO",
            "CC-BY-SA 3.0 IGO",
            file="README.md",
            only=("folder:boddari/unesco/",),
        ),
    ),
    rule=LicenceRule(
        proofs=("licence-file", "statute"),
        expected=("CC-BY-2.5", "LicenseRef-CC-BY-2.0-KR", "CC-BY-SA-3.0-IGO", "LicenseRef-KR-PD-expired"),
    ),
    attribution="{author}, “{title}” ({year}). {url}. {licence}",  # no {publisher}: it differs by file
)
# Whom to name where a row names nobody.
_PUBLISHERS = {
    "wikinews.csv": "위키뉴스",
    "book_review01.csv": "국회도서관",
    "book_review02.csv": "에이콘출판사",
    "fairytale01.csv": "공유마당",
    "unesco/": "유네스코",
}
_LABEL = re.compile(r"^\s*(?:저자|글)\s*:\s*")


def items(capture: Capture) -> Iterator[Item]:
    """Rows as the default reads them, each with its own author and link.

    A tale by 방정환 (d. 1931) is named as expired in the file's own README.
    """
    key = defaults.key_of(capture)
    publisher = next((name for start, name in _PUBLISHERS.items() if key.startswith(start)), "")
    found = list(defaults.items(capture))
    links = _links(capture) if key.endswith(".csv") else [""] * len(found)
    for item, link in zip(found, links, strict=True):
        author = _LABEL.sub("", item.author)
        own = replace(item, author=author or publisher, url=link if link.startswith("http") else item.url)
        expired = key == "fairytale01.csv" and author == "방정환"
        yield replace(own, evidence=(*own.evidence, _expired(own))) if expired else own


def _links(capture: Capture) -> list[str]:
    """The page that each row was taken from, "" where the file does not say."""
    table = csv.DictReader(io.StringIO(capture.body.decode("utf-8-sig"), newline=""))
    return [(row.get("출처") or "").strip() for row in table if any(row.values())]


def _expired(item: Item) -> LicenceEvidence:
    return LicenceEvidence(
        licence="LicenseRef-KR-PD-expired",
        kind="statute",
        scope="item",
        quote=item.author,
        place="writer; fairytale01.README.md: 방정환 단편소설, 저작권 만료",
        record=item.record,
    )
