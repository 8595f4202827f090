"""Requests and answers of OAI-PMH 2.0 (openarchives.org/OAI/openarchivesprotocol.html).

No client library: oaipmh-scythe 0.16 sends its own HTTP requests, past archive, throttle, robots.txt and guard, and
reads damaged answers in the recovery mode of libxml2, which may lose a rights field without a word. It checks our
test repository instead (tests/foreign/test_oai.py).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode, urlsplit

from lxml import etree

from crawlers.formats import safe_xml, xml_records
from crawlers.formats.safe_xml import local_name
from crawlers.formats.unreadable import Unreadable
from crawlers.web.addresses import canonical_url

LISTS = ("ListRecords", "ListIdentifiers")
MAX_RECORDS = 50_000  # of one answer; repositories send between 50 and 1,000, and those without tokens all they have
ERRORS: Mapping[str, str] = MappingProxyType(
    {  # code (section 3.6) → what to do; "" = the harvest goes on
        "badArgument": "correct formats, sets, start or end of its OaiPmh",
        "badResumptionToken": "",  # the list is requested again
        "badVerb": "the address is not the base URL of OAI-PMH 2.0; correct url of its OaiPmh",
        "cannotDisseminateFormat": "correct formats of its OaiPmh",
        "idDoesNotExist": "",  # that record failed
        "noRecordsMatch": "",  # the list is empty
        "noMetadataFormats": "correct formats of its OaiPmh",
        "noSetHierarchy": "the repository has no sets; leave out sets of its OaiPmh",
    }
)
_NAME = r"(?:[\w.-]{1,40}:)?"
_ROOT = re.compile(rf"<({_NAME}OAI-PMH)\b[^<>]{{0,4000}}>")
# A record of the protocol begins with its header; the record of MARCXML inside it does not.
_RECORD = re.compile(rf"<{_NAME}record\b[^<>]{{0,1000}}>\s{{0,1000}}<{_NAME}header\b")
_RECORD_END = re.compile(rf"</{_NAME}record\s{{0,100}}>")
_TOKEN = re.compile(rf"<{_NAME}resumptionToken\b[^<>]{{0,1000}}?(?:/>|>([^<>]{{0,4000}})</)")
_DATE = re.compile(rf"<{_NAME}responseDate\b[^<>]{{0,200}}>([^<>]{{0,100}})</")
_IDENTIFIER = re.compile(rf"<{_NAME}identifier\b[^<>]{{0,200}}>([^<>]{{1,2000}})</")
# An ampersand that begins none of the five references of XML: R&D, &nbsp;
_AMPERSAND = re.compile(r"&(?!#[0-9]{1,7};|#x[0-9A-Fa-f]{1,6};|(?:amp|lt|gt|quot|apos);)")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a list, or its header alone."""

    identifier: str
    deleted: bool = False
    body: bytes = b""  # the element as canonical XML, namespaces included; b"" of a bare header


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read. `token` is None if the answer has no resumptionToken, "" at the end of a list."""

    root: etree._Element | None  # None for an answer that is not well-formed
    date: str = ""  # responseDate, UTC
    errors: tuple[tuple[str, str], ...] = ()  # code, message
    records: tuple[Record, ...] = ()
    token: str | None = None
    damaged: tuple[str, ...] = ()  # identifiers of records that cannot be read; "" where even that is damaged
    reduced: bytes = b""  # the answer with the headers of its records instead of the records that were read
    size: int | None = None  # completeListSize (section 3.5): records of the whole list, if the repository states it


def request_url(base: str, verb: str, **arguments: str) -> str:
    """Return the canonical URL of a request; arguments without a value are left out, `from_` is `from`.

    >>> request_url("https://a.kr/oai", "ListRecords", metadataPrefix="oai_dc", from_="2026-01-02", set="")
    'https://a.kr/oai?from=2026-01-02&metadataPrefix=oai_dc&verb=ListRecords'
    """
    said = {"verb": verb} | {name.rstrip("_"): value for name, value in arguments.items() if value}
    return canonical_url(f"{base}?{urlencode(said)}")


def arguments_of(url: str) -> dict[str, str]:
    """Return the arguments of a request.

    >>> arguments_of("https://a.kr/oai?resumptionToken=a%2Bb&verb=ListRecords")
    {'resumptionToken': 'a+b', 'verb': 'ListRecords'}
    """
    return dict(parse_qsl(urlsplit(url).query))


def parse(body: bytes, charset: str = "") -> Answer:
    """Read an answer; of one that is not well-formed, each record that is.

    Control characters, which XML does not allow, are removed; lone ampersands are mended. Raises Unreadable: `damaged`
    for bytes without an OAI-PMH element, `too-large`, `xml-entities`.
    """
    text = xml_records.plain_text(body, charset)
    try:
        root = safe_xml.parse(text)
    except Unreadable as said:
        if said.reason != "damaged":
            raise
        text = _AMPERSAND.sub("&amp;", text)
        try:
            root = safe_xml.parse(text)
        except Unreadable:
            return _salvage(text)
    if local_name(root) != "OAI-PMH":
        raise Unreadable("damaged")
    return _read_tree(root)


def parse_record(body: bytes) -> etree._Element:
    """Return the record element of an archived record. Raises Unreadable."""
    root = safe_xml.parse(body)
    if local_name(root) != "record":
        raise Unreadable("damaged")
    return root


def field(root: etree._Element | None, name: str) -> str:
    """Return the words of the first element called `name`, whatever its namespace."""
    found = next(root.iter(f"{{*}}{name}"), None) if root is not None else None
    return " ".join("".join(map(str, found.itertext())).split()) if found is not None else ""


def fields(root: etree._Element | None, name: str) -> list[str]:
    """Return the words of all elements called `name`."""
    found = root.iter(f"{{*}}{name}") if root is not None else ()
    return [" ".join("".join(map(str, one.itertext())).split()) for one in found]


def _read_tree(root: etree._Element) -> Answer:
    box = next((one for one in root if local_name(one) in (*LISTS, "GetRecord", "ListSets")), None)
    errors = tuple((one.get("code", ""), (one.text or "").strip()) for one in root if local_name(one) == "error")
    date = field(root, "responseDate")
    token: str | None = None
    size, records = "", []
    for one in [] if box is None else list(box):
        if local_name(one) == "resumptionToken":
            token, size = (one.text or "").strip(), one.get("completeListSize", "").strip()
        elif local_name(one) in ("record", "header"):
            records.append(_read_record(one))
        if len(records) > MAX_RECORDS:
            raise Unreadable("too-large")
    damaged = tuple("" for one in records if not one.identifier)
    reduced = etree.tostring(root, encoding="utf-8")
    found = tuple(one for one in records if one.identifier)
    count = int(size) if size.isascii() and size.isdigit() and len(size) < 12 else None
    return Answer(root, date, errors, found, token, damaged, reduced, count)


def _read_record(element: etree._Element) -> Record:
    """Read a record, and remove all but its header; a header alone is left as it is."""
    headers = [element] if local_name(element) == "header" else [one for one in element if local_name(one) == "header"]
    header = headers[0] if headers else None
    identifier = field(header, "identifier")
    deleted = header is not None and header.get("status") == "deleted"
    others = [] if header is element or not identifier else [one for one in element if one is not header]
    has_metadata = any(local_name(one) == "metadata" for one in others)
    body = etree.tostring(element, method="c14n", with_tail=False) if has_metadata and not deleted else b""
    for one in others:
        element.remove(one)
    return Record(identifier, deleted, body)


def _salvage(text: str) -> Answer:
    """Read each record of an answer on its own."""
    root = _ROOT.search(text)
    if root is None:
        raise Unreadable("damaged")
    starts = [found.start() for found in _RECORD.finditer(text, root.end())]
    ends = [*starts[1:], len(text)]
    if len(starts) > MAX_RECORDS:
        raise Unreadable("too-large")
    records, damaged, kept, at = [], [], [], 0
    for begin, limit in zip(starts, ends, strict=True):
        # A record ends with the last end tag before the next start.
        end = max((found.end() for found in _RECORD_END.finditer(text, begin, limit)), default=limit)
        chunk = text[begin:end]
        kept.append(text[at:begin])
        at = end
        try:
            box = safe_xml.parse(f"{root[0]}{chunk}</{root[1]}>")
            record = _read_record(box[0])
        except (Unreadable, IndexError):
            record = Record("")
        if record.identifier:
            records.append(record)
            kept.append(etree.tostring(box[0], encoding="unicode", with_tail=False))
        else:
            named = _IDENTIFIER.search(chunk)
            damaged.append(html.unescape(named[1]).strip() if named else "")
            kept.append(chunk)
    rest = text[at:]
    token, date = _TOKEN.search(rest), _DATE.search(text)
    return Answer(
        None,
        date[1].strip() if date else "",
        (),
        tuple(records),
        html.unescape(token[1] or "").strip() if token else None,
        tuple(damaged),
        "".join((*kept, rest)).encode("utf-8", "replace"),
    )
