"""Patent gazettes from KIPRIS Plus: abstracts and claims, off by default: an item needs a licence mark of its own.

A gazette is published by the State, but a specification is its applicant's work: whether art. 7 of the Copyright
Act covers it is doubtful. So the source claims nothing, and an item has evidence only if the answer itself
has a field that names a licence. No answer is known to have one; the source exists to notice when one does.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode, urlsplit

from lxml import etree

from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.unreadable import Unreadable
from crawlers.platforms import api_errors
from crawlers.platforms.answer_fields import Fields
from crawlers.rights import licence_fields, response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CaptureError
from malmoi.source import Api, Expect, Extracted, Item, LicenceRule, Manners, Source, Trouble

BASE = "https://plus.kipris.or.kr"
SERVICE = "/kipo-api/kipi/patUtiModInfoSearchSevice"  # sic
LIST, ENTRY = SERVICE + "/getAdvancedSearch", SERVICE + "/getBibliographyDetailInfoSearch"
CLASS = "H01L"  # semiconductor devices, International Patent Classification
PER_PAGE = 100
MAX_CALLS = 900  # of one collection; a key has 1,000 a month without charge
DAMAGED = "application/x-damaged"
# Names of the guide and of public programs. A field that names a licence is in neither list, so it would be named.
FIELDS = Fields(
    used=("applicationNumber", "inventionTitle", "astrtCont", "claim", "openDate", "publicationDate", "applicationDate",
          "totalCount"),
    ignored=(
        "header", "numOfRows", "pageNo", "indexNo", "registerStatus", "registerNumber", "registerDate", "openNumber",
        "publicationNumber", "ipcNumber", "drawing", "bigDrawing", "applicantName", "inventionTitleEng", "claimCount",
        "examinerName", "finalDisposal", "applicantInfoArray", "inventorInfoArray", "agentInfoArray", "ipcInfoArray",
        "familyInfoArray", "internationalInfoArray", "priorityInfoArray", "designatedStateInfoArray",
        "priorArtDocumentsInfoArray", "legalStatusInfoArray", "imagePathInfo", "rndInfoArray",
    ),
)  # fmt: skip

SOURCE = Source(
    name="kipris",
    title="KIPRIS Plus 특허·실용신안 공보",
    publisher="지식재산처 (KIPRIS Plus)",
    access=Api(
        start=(f"{BASE}{LIST}?" + urlencode((("ipcNumber", CLASS), ("numOfRows", PER_PAGE), ("pageNo", 1))),),
        scope=(BASE + LIST, BASE + ENTRY),
        key="MALMOI_KIPRIS_KEY",
        parameter="ServiceKey",
        grant="https://plus.kipris.or.kr/",
        max_pages=MAX_CALLS,
    ),
    rule=LicenceRule(),  # no field of an answer is known to name a licence; one that does is left for review
    register="technical",
    domain="semiconductor",
    expect=Expect(at_least=2, at_most=MAX_CALLS),  # one page of a list and one entry, up to the monthly calls of a key
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}",
    unverified="No answer of the interface has been seen: addresses and elements are those that public programs "
    "read, which ask for them without TLS. Whether the host answers over TLS, the names of the parameters that "
    "choose a class and a page, and whether 10.8080 with the number of an application leads to its page.",
    note="A key comes from plus.kipris.or.kr. Expected outcome: review, so everything is excluded. An item holds "
    "title, abstract and claims, and nothing of the bibliography: inventors, applicants and agents with their "
    "addresses stay in the private archive. The description of an invention is no part of these answers.",
)


def follow(capture: Capture) -> Iterator[str]:
    """Yield from a list its other pages and its entries, within the calls of a month.

    Raises CaptureError if an answer is not such a list.
    """
    if not urlsplit(capture.url).path.endswith(LIST):
        return
    try:
        root = xml_records.parse_xml(capture.body, capture.charset)
    except Unreadable as said:
        raise CaptureError(f"{capture.url}: the list cannot be read ({said.reason}); collect again.") from said
    total = xml_records.parse_number(xml_records.field(root, "totalCount"))
    if total is None:
        raise CaptureError(
            f"{capture.url}: the list does not state its length in totalCount; check the answer, "
            "and correct crawlers/sources/kipris.py if the API has changed."
        )
    for entry in root.iter("item"):
        if key := xml_records.field(entry, "applicationNumber"):
            yield (
                xml_records.rewrite_url(capture.url, path=ENTRY).partition("?")[0] + "?applicationNumber=" + quote(key)
            )
    page = xml_records.parse_number(xml_records.parameter(capture.url, "pageNo")) or 1
    if page * PER_PAGE < min(total, MAX_CALLS):
        yield xml_records.rewrite_url(capture.url, pageNo=page + 1)


def items(capture: Capture) -> Iterator[Item]:
    """Yield the document of an entry: title, abstract and claims. Names of persons stay in the archive."""
    if urlsplit(capture.url).path.endswith(LIST):
        return
    key = xml_records.parameter(capture.url, "applicationNumber")
    try:
        root = xml_records.parse_xml(capture.body, capture.charset)
    except Unreadable:
        yield Item(key, capture.url, "", DAMAGED, "", capture.record, capture.headers)
        return
    parts = (*_each(root, "astrtCont"), *_each(root, "claim"))
    said = {leaf.tag: leaf.text for leaf in root.iter() if isinstance(leaf.tag, str) and not len(leaf)}
    yield Item(
        key=key,
        url=f"https://doi.org/10.8080/{quote(key)}",
        body="\n\n".join(parts),
        media="text/plain",
        charset="",
        record=capture.record,
        headers=capture.headers,
        title=" ".join(xml_records.prose(xml_records.field(root, "inventionTitle")).split()),
        date=iso_date(xml_records.field(root, "openDate", "publicationDate", "applicationDate")),
        evidence=licence_fields.find(said, capture.record),
    )


def text(parsed: ParsedItem) -> Extracted:
    """Extract abstract and claims, a block each; dropped as `damaged` or `empty`."""
    if parsed.item.media == DAMAGED:
        return Extracted("", outcome="dropped", reason="damaged", format="xml")
    return parsed.extraction


def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return the evidence of a licence field in the answer, if there is one."""
    return parsed.item.evidence, response_signals.find(parsed.item, None)


def trouble(capture: Capture) -> Trouble | None:
    """Return the error that the API sends instead of an answer."""
    return api_errors.data_go_kr(capture)


def unknown_fields(capture: Capture) -> Iterable[str]:
    """Return the elements of an answer that are in neither list of FIELDS."""
    return FIELDS.find_in_xml(capture)


def _each(root: etree._Element, name: str) -> Iterable[str]:
    return (words for element in root.iter(name) if (words := xml_records.prose(xml_records.words(element))))
