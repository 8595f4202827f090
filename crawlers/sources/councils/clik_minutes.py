"""Minutes of local councils from the portal of the National Assembly Library (지방의정포털, CLIK), with one key.

The operator chooses the councils with an environment variable, six digits each:

    MALMOI_CLIK_COUNCILS=041009,031013

Without it the source has no start URL: a key has 1,000 requests a day, and one sitting takes one.
crawlers/platforms/council_minutes.py says which uses art. 24 permits, and how a turn of a speaker is written.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.html.runs import quote
from crawlers.platforms import api_errors, council_minutes
from crawlers.platforms.answer_fields import Fields
from crawlers.rights import response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CallError, CaptureError
from malmoi.source import Api, Estimate, Expect, Extracted, Item, LicenceRule, Manners, Source, Trouble

BASE = "https://clik.nanet.go.kr/openapi/minutes.do"
VIEW = "https://clik.nanet.go.kr/potal/search/searchView.do?collection=minutes&DOCID={}"
COUNCILS = "MALMOI_CLIK_COUNCILS"  # environment variable
ORDER = "MTG_DE%2FDESC"  # the newest first, so that the revisions of a sitting are on one page
PER_PAGE = 100  # rows, the most that the interface gives
MEETING = ("RASMBLY_ID", "RASMBLY_NUMPR", "RASMBLY_SESN", "MINTS_ODR", "MTG_DE", "MTGNM")  # name one sitting
BOXES = tuple(system.box for system in council_minutes.SYSTEMS)
FIELDS = Fields(
    used=("TOTAL_COUNT", "DOCID", "RASMBLY_NM", "MINTS_HTML", *MEETING),
    ignored=(
        "SERVICE", "RESULT_CODE", "RESULT_MESSAGE", "LIST_COUNT", "MTR_SJ", "PRMPST_CMIT_NM", "ORGINL_FILE_URL",
    ),
)  # fmt: skip
FRAME = ("header", "nav", "aside", "form", "select", "footer")  # elements of a whole page of a viewer
TURN = re.compile(r"^[○◯〇]", re.MULTILINE)


def _starts(councils: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(councils.replace(",", " ").split()))
    if wrong := [one for one in chosen if not re.fullmatch(r"[0-9]{6}", one)]:
        raise CallError(
            f"clik_minutes: {COUNCILS} names the council {wrong[0]!r}; give numbers of six digits, separated by commas "
            "(https://clik.nanet.go.kr/potal/guide/resourceCenter.do lists them)"
        )
    return tuple(
        f"{BASE}?displayType=list&listCount={PER_PAGE}&rasmblyId={one}&searchType=ALL&sort={ORDER}"
        "&startCount=0&type=json"
        for one in chosen
    )


SOURCE = Source(
    name="clik_minutes",
    title="지방의회 회의록 (지방의정포털)",
    publisher="국회도서관 지방의정포털",
    access=Api(
        start=_starts(os.environ.get(COUNCILS, "")),
        scope=(BASE,),
        key="MALMOI_CLIK_KEY",
        parameter="key",
        grant="https://clik.nanet.go.kr/potal/guide/resourceCenter.do",
        max_pages=1_000_000,
    ),
    # The fields of an entry name a council, a sitting and its day; its text holds turns of speakers.
    rule=LicenceRule(proofs=("statute",), expected=(council_minutes.LICENCE,)),
    register="spoken",
    domain="politics",
    expect=Expect(at_least=2, at_most=1_000_000),  # depends on the councils that the operator has chosen
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}",
    unverified="No answer of the interface has been seen by us. Addresses, fields, errors and paging are those of a "
    "report on 257 requests of September 2026 (sokldjs554/procurement-forecast, real-data-clik.md): 34 sittings of "
    "Seongnam had 110 entries, no field says which is final, and 20 of the 34 first ones were provisional. In which "
    "markup the councils that are not of a known system send their minutes (those pages are dropped as not-minutes). "
    "8 of 178 sittings there had no circle before a speaker: such a text is not granted here.",
    estimate=Estimate(
        5_000_000_000,
        "all councils: 772 sittings in 30 days (the report above) × 12 × 16 years × 33,600 characters (mean of 178). "
        "16 years are those of Seongnam: 7,338 entries, 3 a sitting, 153 sittings a year",
    ),
    note=f"Set {COUNCILS} (numbers of councils, separated by commas). A key comes from clik.nanet.go.kr and has 1,000 "
    "requests a day; the same command goes on the next day. Whole sittings only, never by speaker (art. 24). Members "
    "are public persons, officials and witnesses may not be: the recipe must redact. Sittings that a source of one "
    "council has too are near-duplicates, of which one is kept.",
)


def follow(capture: Capture) -> Iterator[str]:
    """Yield from a list its other pages and one entry of each sitting; an entry leads nowhere.

    Raises CaptureError if an answer is not such a list.
    """
    if not _is_list(capture):
        return
    answer = _parse_answer(capture)
    total = xml_records.parse_number(str(answer.get("TOTAL_COUNT", "")))
    rows: list[dict[str, Any]] = [part["ROW"] for part in answer.get("LIST") or [] if _is_row(part)]
    if total is None or len(rows) < len(answer.get("LIST") or []):
        raise CaptureError(
            f"{capture.url}: this is not a list of minutes; check the answer, and correct "
            "crawlers/sources/councils/clik_minutes.py if the API has changed."
        )
    if xml_records.parameter(capture.url, "startCount") == "0":
        for start in range(PER_PAGE, total, PER_PAGE):
            yield xml_records.rewrite_url(capture.url, startCount=start)
    # The revisions of a sitting (provisional, final) are entries of their own, with the same fields.
    sittings = {tuple(str(row.get(name) or "").strip() for name in MEETING): row for row in reversed(rows)}
    for row in reversed(sittings.values()):
        yield f"{BASE}?displayType=detail&docid={row['DOCID']}&type=json"


def items(capture: Capture) -> Iterator[Item]:
    """Yield the sitting of an entry under its number; a list is not a document, nor is an entry without minutes."""
    if _is_list(capture):
        return
    answer = _parse_answer(capture)
    said = {name: " ".join(str(answer.get(name) or "").split()) for name in ("DOCID", "RASMBLY_NM", *MEETING)}
    key = said["DOCID"] or xml_records.parameter(capture.url, "docid")
    council, day = said["RASMBLY_NM"], iso_date(said["MTG_DE"])
    number = f"제{said['RASMBLY_SESN']}회" if said["RASMBLY_SESN"] else ""
    order = f"제{said['MINTS_ODR']}차" if said["MINTS_ODR"] not in ("", "0") else ""
    title = " ".join(filter(None, (council, number, said["MTGNM"], order)))
    found = LicenceEvidence(
        council_minutes.LICENCE, "statute", "item", quote(f"{title} {day}"), "RASMBLY_NM, MTGNM, MTG_DE", capture.record
    )
    yield Item(
        key=key,
        url=VIEW.format(key),
        body=str(answer.get("MINTS_HTML") or "").encode("utf-8", "replace"),
        media="text/html",
        charset="utf-8",
        record=capture.record,
        headers=capture.headers,
        title=title,
        date=day,
        evidence=(found,) if council_minutes.COUNCIL.search(council) and said["MTGNM"] and day else (),
    )


def text(parsed: ParsedItem) -> Extracted:
    """Return the whole sitting. Dropped as `not-minutes` if it is a page of a viewer that is not known."""
    found = _read_minutes(parsed)
    reason = "not-minutes" if found is None else "" if found else "no-text"
    return Extracted(
        text=found or "",
        title=parsed.item.title,
        date=parsed.item.date,
        format="html",
        encoding="utf-8",
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return the fields that name the sitting as evidence if the text holds turns of speakers."""
    shown = TURN.search(_read_minutes(parsed) or "") is not None
    return (parsed.item.evidence if shown else ()), response_signals.find(parsed.item, parsed.page)


def trouble(capture: Capture) -> Trouble | None:
    """Return the error that the portal sends instead of an answer, with status 200."""
    return api_errors.clik(capture)


def unknown_fields(capture: Capture) -> Iterable[str]:
    """Return the fields of a list or an entry that are in neither list of FIELDS."""
    return FIELDS.find_unknown(_parse_answer(capture))


def _read_minutes(parsed: ParsedItem) -> str | None:
    """Return the lines of the element of a known system, or of a fragment; None of another page."""
    tree = parsed.page.tree
    box = council_minutes.find_box(tree, *BOXES)
    if box is None and next(tree.iter(*FRAME), None) is None:
        box = tree
    return None if box is None else council_minutes.read_minutes(box)


def _is_row(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("ROW"), dict) and bool(part["ROW"].get("DOCID"))


def _is_list(capture: Capture) -> bool:
    return xml_records.parameter(capture.url, "displayType") == "list"


def _parse_answer(capture: Capture) -> dict[str, Any]:
    """Return the object of an answer, which is a list of one."""
    try:
        said = json.loads(capture.body)
        answer = said[0] if isinstance(said, list) else said
    except (ValueError, IndexError, RecursionError) as error:
        raise CaptureError(
            f"{capture.url}: the answer cannot be read ({type(error).__name__}); collect again."
        ) from error
    return answer if isinstance(answer, dict) else {}
