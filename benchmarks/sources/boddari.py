"""Boddari: openly licensed Korean text in CSV and text files; the licence differs by file, and by row in the tales."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.sources.corpora import CORPORA
from crawlers import defaults
from malmoi.capture import Capture
from malmoi.document import LicenceEvidence
from malmoi.source import Folder, Item, LicenceClaim, Source

_WIKINEWS = "크리에이티브 커먼즈 저작자표시 2.5 라이선스(CC-BY)"
_ACORN = "크리에이티브 커먼즈 코리아 저작자표시 2.0 대한민국 라이센스(CC BY 2.0 KR)"

SOURCE = Source(
    name="boddari",
    title="보따리",
    publisher="위키뉴스; 국회도서관; 에이콘출판사; 공유마당; 유네스코",
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
)


def items(capture: Capture) -> Iterator[Item]:
    """Rows as the default reads them; a tale by 방정환 (d. 1931) is named as expired in the file's own README."""
    for item in defaults.items(capture):
        expired = "fairytale01.csv" in capture.url and item.author.removeprefix("저자:").strip() == "방정환"
        yield replace(item, evidence=(*item.evidence, _expired(item))) if expired else item


def _expired(item: Item) -> LicenceEvidence:
    return LicenceEvidence(
        licence="LicenseRef-KR-PD-expired",
        kind="row",
        scope="item",
        quote=item.author,
        place="writer; fairytale01.README.md: 방정환 단편소설, 저작권 만료",
        record=item.record,
    )
