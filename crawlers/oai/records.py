"""A record of OAI-PMH as fields, and the items of its captures: an abstract, or a file with the rights of its record.

Metadata formats: oai_dc, qdc (qualified Dublin Core), dim and xoai of DSpace, marcxml. Each becomes pairs of a name and
a value; the names are those that DSpace uses (`dc.rights.uri`), so that one source may be read in any of the formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from lxml import etree

from crawlers import attachments
from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.safe_xml import local_name
from crawlers.formats.unreadable import Unreadable
from crawlers.oai import protocol
from crawlers.rights import repository_rights
from crawlers.web.addresses import canonical_url
from crawlers.web.scope import is_in_scope
from malmoi.archive.capture import Capture
from malmoi.source import Extracted, Item, OaiPmh

MAX_FILES = 50  # of one record
MAX_VALUE = 2_000  # code points of a value in that header; a longer one names no licence
MAX_RIGHTS = 20  # rights fields in that header
MAX_DEPTH = 20  # nested elements of xoai
Fields = tuple[tuple[str, str], ...]

# Names of fields, in the order in which they are looked for. Those without a dot between a known element and its
# qualifier (title_h, abstract_e …) are of oak.go.kr, which names the elements of its oai_dc itself.
_TITLE = ("dc.title", "dc.title_h", "dc.title_e", "marc.245.a")
_DATE = ("dc.date.issued", "dcterms.issued", "dc.publish_date", "dc.date", "marc.264.c", "marc.260.c")
_AUTHOR = ("dc.contributor.author", "dc.creator", "dc.author", "dc.contributor", "marc.100.a", "marc.700.a")
_ABSTRACT = (
    "dc.description.abstract", "dcterms.abstract", "dc.abstract", "dc.abstract_h", "dc.abstract_k", "dc.abstract_e",
    "marc.520.a",
)  # fmt: skip
_DESCRIPTION = ("dc.description",)  # of oai_dc, which has no qualifiers; elsewhere notes of the library
_ADDRESS = (
    "dc.identifier.uri", "dc.identifier", "dc.identifier.url", "dc.relation.uri", "dc.relation", "dc.source",
    "dc.deep_link", "dc.contents_url", "dcterms.hasFormat", "dcterms.identifier", "marc.856.u",
)  # fmt: skip
_FILE = "bundles.ORIGINAL.url"  # our name for a bitstream of the bundle ORIGINAL of xoai
_MARC = frozenset(("100", "245", "260", "264", "506", "520", "540", "700", "856"))
_AUTHORS_SHOWN = 10
_NAMESPACES = {"http://purl.org/dc/terms/": "dcterms"}


@dataclass(frozen=True, slots=True)
class Described:
    """The statements of a record about its work."""

    identifier: str
    fields: Fields
    title: str
    date: str
    author: str
    url: str  # a page for people, "" if no field names one
    rights: Fields

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return what is archived with a file of the record (crawlers/attachments.py)."""
        said = {"id": self.identifier, "title": self.title, "date": self.date, "author": self.author, "url": self.url}
        rights = json.dumps([(name, value[:MAX_VALUE]) for name, value in self.rights[:MAX_RIGHTS]])
        return (*((name, value[:MAX_VALUE]) for name, value in said.items()), ("rights", rights))


def describe(record: etree._Element) -> Described:
    """Read the metadata of a record element.

    >>> dc = "<dc xmlns='http://purl.org/dc/elements/1.1/'><title>제목</title><rights>CC BY 4.0</rights></dc>"
    >>> said = f"<record><header><identifier>oai:a:1</identifier></header><metadata>{dc}</metadata></record>"
    >>> describe(etree.fromstring(said)).fields
    (('dc.title', '제목'), ('dc.rights', 'CC BY 4.0'))
    """
    found = tuple(_list_fields(record))
    return Described(
        protocol.field(record, "identifier"),
        found,
        next(iter(_values(found, _TITLE)), ""),
        _find_day(found),
        "; ".join(_values(found, _AUTHOR)[:_AUTHORS_SHOWN]),
        _find_page(found),
        tuple((name, value) for name, value in found if repository_rights.is_rights_field(name)),
    )


def abstract(found: Fields) -> str:
    """Return the abstracts of a record, one block each; of a format without qualifiers its descriptions."""
    said = _values(found, _ABSTRACT, every=True) or _values(found, _DESCRIPTION)
    return "\n\n".join(dict.fromkeys(prose for value in said if (prose := xml_records.prose(value))))


def files(found: Fields, access: OaiPmh) -> list[str]:
    """Return the addresses in a record that are in the scope of full-text files, canonical, each once."""
    said = (value for name, value in found if (name == _FILE or name in _ADDRESS) and _is_address(value))
    urls = dict.fromkeys(url for url in map(canonical_url, said) if url and is_in_scope(url, access))
    return list(urls)[:MAX_FILES]


def items(capture: Capture) -> Iterator[Item]:
    """Yield the item of a capture: the abstract of a record, or a file under the rights of its record.

    The key is the identifier of the record, and for a file its address behind it. A deleted record, an error and
    a page of another kind have no item.
    """
    if (described := attachments.read(capture)) is not None:
        about = described.facts
        rights = [(name, value) for name, value in json.loads(about["rights"])]
        yield Item(
            key=f"{about['id']}#{capture.url}",
            url=capture.url,
            body=capture.body,
            media=capture.header("Content-Type").partition(";")[0].strip().lower(),
            charset=capture.charset,
            record=capture.record,
            headers=capture.headers,
            title=about["title"],
            date=about["date"],
            author=about["author"],
            evidence=repository_rights.find(rights, capture.record),
        )
        return
    if protocol.arguments_of(capture.url).get("verb") != "GetRecord":
        return
    record = read_record(capture.body)
    if record is None:
        return
    said = describe(record)
    yield Item(
        key=said.identifier,
        url=said.url or capture.url,
        body=abstract(said.fields),
        media="text/plain",
        charset="",
        record=capture.record,
        headers=capture.headers,
        title=said.title,
        date=said.date,
        author=said.author,
        evidence=repository_rights.find(said.rights, capture.record),
    )


def text(parsed: ParsedItem) -> Extracted:
    """Return the text of an item; its record states title, date and author better than a file does."""
    found, item = parsed.extraction, parsed.item
    return replace(
        found, title=item.title or found.title, date=item.date or found.date, author=item.author or found.author
    )


def read_record(body: bytes) -> etree._Element | None:
    """Return the record of an archived answer; None if it has none, or none with metadata."""
    try:
        record = protocol.parse_record(body)
    except Unreadable:
        return None
    has_metadata = any(local_name(one) == "metadata" for one in record)
    return record if has_metadata and protocol.field(record, "identifier") else None


def _values(found: Fields, names: Sequence[str], *, every: bool = False) -> list[str]:
    """Return the values of the first of `names` that has any; with `every`, of all of them."""
    said: list[str] = []
    for name in names:
        said += [value for called, value in found if called == name]
        if said and not every:
            break
    return said


def _find_day(found: Fields) -> str:
    """Return the date of a work. A value with a time, beside others, is when the repository took it in.

    >>> _find_day((("dc.date", "2030-06-01T14:26:36Z"), ("dc.date", "2028-02-03")))
    '2028-02-03'
    """
    said = _values(found, _DATE)
    published = [value for value in said if not _TIME.search(value)]
    return next((day for value in published or said if (day := iso_date(value))), "")


def _find_page(found: Fields) -> str:
    """Return the address of a page for people: the handle that the repository gave the work, else the first one."""
    pages = [(name, value) for name, value in found if name in _ADDRESS and _is_address(value)]
    said = [value for name, value in pages if name.startswith("dc.identifier") and _HANDLE.match(value)]
    said += [value for name, value in pages if name != "dc.contents_url"]
    return next((url for url in map(canonical_url, said) if url), "")


def _list_fields(record: etree._Element) -> Iterator[tuple[str, str]]:
    metadata = next((one for one in record if local_name(one) == "metadata"), None)
    for root in metadata if metadata is not None else ():
        kind = local_name(root)
        if kind == "dim":
            for one in root:
                if local_name(one) == "field":
                    parts = (one.get("mdschema", "dc"), one.get("element", ""), one.get("qualifier", ""))
                    yield from _pair(".".join(filter(None, parts)), one.text)
        elif kind == "metadata":  # lyncode's xoai
            yield from _read_xoai(root, (), 0)
        elif kind in ("record", "collection"):
            for box in root.iter("{*}datafield"):
                for one in box if box.get("tag", "") in _MARC else ():
                    yield from _pair(f"marc.{box.get('tag')}.{one.get('code', '')}", one.text)
        elif isinstance(root.tag, str):
            yield from _read_dc(root)


def _read_dc(root: etree._Element) -> Iterator[tuple[str, str]]:
    for one in root.iter():
        if isinstance(one.tag, str) and one is not root and not len(one):
            space = etree.QName(one).namespace or ""
            yield from _pair(f"{_NAMESPACES.get(space, 'dc')}.{local_name(one)}", one.text)
            if local_name(one) in repository_rights.WITH_ADDRESS:  # oaire:licenseCondition uri="…"
                yield from _pair(f"{_NAMESPACES.get(space, 'dc')}.{local_name(one)}", one.get("uri"))


def _read_xoai(element: etree._Element, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, str]]:
    """Yield the fields of xoai: the last element above a field is its language."""
    if depth > MAX_DEPTH:
        return
    if path == ("bundles", "bundle"):
        named = [one.text for one in element if local_name(one) == "field" and one.get("name") == "name"]
        for one in element.iter("{*}field") if named == ["ORIGINAL"] else ():
            if one.get("name") == "url":
                yield from _pair(_FILE, one.text)
        return
    for one in element:
        if local_name(one) == "element":
            yield from _read_xoai(one, (*path, one.get("name", "")), depth + 1)
        elif local_name(one) == "field" and one.get("name") == "value" and len(path) > 1:
            yield from _pair(".".join(path[:-1]), one.text)


def _pair(name: str, value: str | None) -> Iterator[tuple[str, str]]:
    if words := (value or "").strip():
        yield name, words


_TIME = re.compile(r"\dT\d\d:")
_HANDLE = re.compile(r"https?://(?:hdl\.handle\.net/|[^/]{1,200}/(?:\w{1,20}/)?handle/)")
_ADDRESSED = re.compile(r"https?://[^\s<>\"]{4,2000}")


def _is_address(value: str) -> bool:
    return _ADDRESSED.fullmatch(value) is not None and bool(urlsplit(value).netloc)


def keys_of(found: Iterable[str], base: str) -> Iterator[str]:
    """Yield the addresses in `found` that are GetRecord requests of a repository."""
    begin = f"{canonical_url(base)}?"
    return (url for url in found if url.startswith(begin) and "verb=GetRecord" in url)
