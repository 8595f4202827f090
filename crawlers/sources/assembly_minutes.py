"""Minutes of the National Assembly: whole sittings of the plenary and of the committees.

Art. 24 of the Copyright Act lets anybody use speeches in the Assembly, "except for compiling and using the
speeches of one author". So a sitting stays one document without a speaker field, and nothing of this
source may be sorted by speaker.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.html.runs import quote
from crawlers.platforms import api_errors
from crawlers.platforms.answer_fields import Fields
from crawlers.rights import response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CaptureError
from malmoi.source import Api, Estimate, Expect, Extracted, Item, LicenceRule, Manners, Source, Trouble

BASE = "https://open.assembly.go.kr/portal/openapi/"
SERVICES = ("nzbyfwhwaoanttzje", "ncwgseseafwbuheph")  # minutes of the plenary, of the committees
# The lists are requested by term of the Assembly and year; add each new year here.
TERMS: dict[int, tuple[int, ...]] = {22: (2024, 2025, 2026), 21: (2020, 2021, 2022, 2023, 2024)}
PER_PAGE = 1000  # rows; a sitting has one for each item of its agenda
MAX_PAGES = 1_000  # of one list
NOTHING = "INFO-200"  # a year without a sitting yet
FILES = "https://record.assembly.go.kr/assembly/viewer/minutes/download/pdf.do"
VIEW = "https://record.assembly.go.kr/assembly/viewer/minutes/xml.do?id={id}&type=view"
FIELDS = Fields(
    used=("list_total_count", "PDF_LINK_URL"),
    ignored=("RESULT", "CONFER_NUM", "TITLE", "CLASS_NAME", "DAE_NUM", "CONF_DATE", "SUB_NAME", "VOD_LINK_URL",
             "CONF_LINK_URL", "CONF_ID", "COMM_NAME", "VODCOMM_CODE", "PDF_FILE_ID", "DEPT_CD"),
)  # fmt: skip
HEAD = 2_000  # code points at the beginning of minutes that contain their heading
# 제439회국회, 2026년도국정감사 in a heading, which may be letter-spaced.
SITTING = re.compile(r"제\s?\d{1,4}\s?회\s?국\s?회|\d{4}\s?년도\s?국\s?정\s?감\s?사")
MINUTES = re.compile(r"회\s?의\s?록")
DATE = re.compile(r"\d{4}\s?년\s?\d{1,2}\s?월\s?\d{1,2}\s?일")


SOURCE = Source(
    name="assembly_minutes",
    title="국회 회의록",
    publisher="대한민국 국회",
    access=Api(
        start=tuple(
            f"{BASE}{service}?CONF_DATE={year}&DAE_NUM={term}&Type=json&pIndex=1&pSize={PER_PAGE}"
            for service in SERVICES
            for term, years in TERMS.items()
            for year in years
        ),
        scope=(*(BASE + service for service in SERVICES), FILES),
        key="MALMOI_ASSEMBLY_KEY",
        parameter="KEY",
        grant="https://www.data.go.kr/data/15126141/openapi.do",
        max_pages=50_000,
    ),
    # The heading of each file says that it is the minutes of a sitting.
    rule=LicenceRule(proofs=("statute",), expected=("LicenseRef-KR-CA-Art24",)),
    register="spoken",
    domain="politics",
    # Some thousands of sittings in two terms, as is generally known; these lists were not counted.
    expect=Expect(at_least=500, at_most=40_000),
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}",
    unverified="No answer of the interface has been seen: addresses and fields are those that public programs read, "
    "and of tests that mirror rows of October 2026. record.assembly.go.kr is said to refuse programs (400) and "
    "addresses abroad; whether its robots.txt lets machines in; how the heading of a file comes out of its layout.",
    estimate=Estimate(2_000_000_000, "1,800 sittings a year × 60,000 characters × 20 years"),
    note="A key comes from open.assembly.go.kr. Whole sittings only, never by speaker (art. 24). Members are public "
    "persons, witnesses are not: the recipe must redact. Papers of third parties may be printed behind a "
    "sitting.",
)


def follow(capture: Capture) -> Iterator[str]:
    """Yield from a list its other pages and the file of each sitting.

    Raises CaptureError if an answer is not such a list.
    """
    if not _is_list(capture):
        return
    total, rows = _list(capture)
    if xml_records.parameter(capture.url, "pIndex") == "1":
        for page in range(2, min(-(-total // PER_PAGE), MAX_PAGES) + 1):
            yield xml_records.rewrite_url(capture.url, pIndex=page)
    for address in dict.fromkeys(str(row.get("PDF_LINK_URL") or "").strip() for row in rows):
        if address:  # minutes that are not published yet have none
            yield address


def items(capture: Capture) -> Iterator[Item]:
    """Yield the sitting of a file, under its number in the archive of the Assembly; a list is not a document."""
    if _is_list(capture):
        return
    key = xml_records.parameter(capture.url, "id")
    media, _, _ = capture.header("Content-Type").partition(";")
    yield Item(
        key=key,
        url=VIEW.format(id=key) if key else capture.url,
        body=capture.body,
        media=media.strip().lower(),
        charset=capture.charset,
        record=capture.record,
        headers=capture.headers,
    )


def text(parsed: ParsedItem) -> Extracted:
    """Return the whole sitting as in the file; its number and day are parsed from its heading."""
    found = parsed.extraction
    title, date, _ = heading(found.text)
    return replace(found, title=found.title or title, date=found.date or date, author="")


def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return as evidence the words in which the file calls itself the minutes of a sitting of the Assembly."""
    return find_evidence(parsed, parsed.extraction.text)


def find_evidence(parsed: ParsedItem, text: str) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return the words in which the text of a file names its sitting, and the signals of its answer."""
    _, _, words = heading(text)
    found = LicenceEvidence(
        licence="LicenseRef-KR-CA-Art24",
        kind="statute",
        scope="item",
        quote=quote(words),
        place="heading of the minutes",
        record=parsed.item.record,
    )
    return ((found,) if words else ()), response_signals.find(parsed.item, None)


def trouble(capture: Capture) -> Trouble | None:
    """Return the error that the API sends instead of a list."""
    return api_errors.open_assembly(capture) if _is_list(capture) else None


def unknown_fields(capture: Capture) -> Iterable[str]:
    """Return the fields of the rows of a list that are in neither list of FIELDS; the files have none."""
    return FIELDS.find_unknown(_list(capture)[1]) if _is_list(capture) else ()


def heading(minutes: str) -> tuple[str, str, str]:
    """Return (title, date, the words of the heading) of minutes; all "" if a text does not begin like minutes.

    >>> heading("제999회국회(임시회) 가상위원회 회의록 제2호\\n일 시 2031년 2월 3일(월)\\n◯위원장 …")[:2]
    ('제999회국회(임시회) 가상위원회 회의록 제2호', '2031-02-03')
    """
    head = minutes[:HEAD]
    sitting, called = SITTING.search(head), MINUTES.search(head)
    if sitting is None or called is None:
        return "", "", ""
    lines = [line.strip() for line in head.split("\n") if SITTING.search(line) or MINUTES.search(line)]
    title = " ".join(lines[: 1 if MINUTES.search(lines[0]) else 2])
    day = DATE.search(head)
    return title[:200], iso_date("".join(day[0].split())) if day else "", title


def _is_list(capture: Capture) -> bool:
    return "/portal/openapi/" in urlsplit(capture.url).path


def _list(capture: Capture) -> tuple[int, list[dict[str, Any]]]:
    """Return the total number of rows of a list, and the rows of this page."""
    service = urlsplit(capture.url).path.rsplit("/", 1)[-1]
    try:
        said = json.loads(capture.body)
        if said.get("RESULT", {}).get("CODE") == NOTHING:
            return 0, []
        head, body = said[service]
        total = next(int(part["list_total_count"]) for part in head["head"] if "list_total_count" in part)
        rows = body["row"]
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as error:
        raise CaptureError(
            f"{capture.url}: this is not a list of {service} ({type(error).__name__}); check the answer, "
            "and correct crawlers/sources/assembly_minutes.py if the API has changed."
        ) from error
    return total, [row for row in rows if isinstance(row, dict)]
