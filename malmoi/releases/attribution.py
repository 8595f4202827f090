"""Attribution of a document: the sentence that names its origin, from the template of its source."""

from __future__ import annotations

import re

from malmoi.errors import StageError
from malmoi.releases.release_inputs import SourceFacts

DEFAULT = "{author}, “{title}” ({year}). {publisher}, {url}. {licence}"
NO_YEAR = "연도 미상"
NO_TITLE = "제목 없음"
_FIELD = re.compile(r"\{([^{}]*)\}")


def sentence(source: SourceFacts, *, title: str, author: str, date: str, url: str, licence: str) -> str:
    """Return the attribution of one document; without an author it names the publisher.

    StageError if the template has an unknown field: the licence requires a complete attribution.

    >>> facts = SourceFacts("a", "A", "가나부", "Site", (), attribution="{publisher}, {year}, {url}")
    >>> sentence(facts, title="", author="", date="2024-05-01", url="https://example.kr/1", licence="CC-BY-4.0")
    '가나부, 2024, https://example.kr/1'
    """
    values = {
        "title": title or NO_TITLE,
        "author": author or source.publisher,
        "year": date[:4] or NO_YEAR,
        "url": url,
        "publisher": source.publisher,
        "licence": licence,
    }

    def fill(field: re.Match[str]) -> str:
        if field[1] not in values:
            raise StageError(
                f"{source.name}: the attribution template has the field {field[0]!r}, which does not exist; "
                f"known: {', '.join(values)}. Correct it in the source file."
            )
        return values[field[1]]

    return _FIELD.sub(fill, source.attribution or DEFAULT)
