"""Law and government: the Constitution, tax rulings, and R&D manuals whose licence is not stated (and so excluded)."""

import json
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.sources.corpora import CORPORA
from crawlers import defaults, tables
from malmoi.archive.capture import Capture
from malmoi.source import Folder, Item, LicenceClaim, LicenceRule, Source

_ARTICLE_7 = "statutes/rulings: not protected (Korean Copyright Act art. 7)"

SOURCE = Source(
    name="law-ko",
    title="대한민국헌법과 국세청 해석 사례",
    publisher="대한민국",
    attribution="{author}, “{title}” ({year}). {url}",  # no licence: laws and rulings are nobody's work
    access=Folder(CORPORA / "law-ko", include=("constitution.txt", "tax_rulings.jsonl", "rnd_manuals/*.json")),
    claim=(
        LicenceClaim(
            "LicenseRef-KR-CA-Art7",
            _ARTICLE_7,
            file="SOURCE.txt",
            only=("folder:law-ko/constitution.txt", "folder:law-ko/tax_rulings.jsonl"),
        ),
    ),
    rule=LicenceRule(proofs=("licence-file",), expected=("LicenseRef-KR-CA-Art7",)),
    register="law",
)


def items(capture: Capture) -> Iterator[Item]:
    """A ruling is one row with the link of its page. A manual is one item a section: its pages joined."""
    if capture.url.endswith(".jsonl"):
        yield from _rulings(capture)
    elif capture.url.endswith(".json"):
        yield from _sections(capture)
    else:
        yield from defaults.items(capture)


def _rulings(capture: Capture) -> Iterator[Item]:
    name = "tax_rulings.jsonl"
    links = {f"{name}#{row['rid']}": row["링크"] for row in map(json.loads, capture.body.splitlines()) if row["링크"]}
    for item in tables.rows(
        capture, text="재결요지", key="rid", title="사건명", date="의결일자", author="기관", name=name
    ):
        yield replace(item, url=links.get(item.key, item.url))


def _sections(capture: Capture) -> Iterator[Item]:
    for section in json.loads(capture.body)["sections"]:
        yield Item(
            key=f"{defaults.key_of(capture)}#{section['id']}",
            url=f"{capture.url}#{section['id']}",
            body="\n".join(page["text"] for page in section["pages"]),
            media="text/plain",
            charset="",
            record=capture.record,
            title=section["section_title"],
        )
