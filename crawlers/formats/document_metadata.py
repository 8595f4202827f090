"""Metadata of a PDF: title, author and date, and the rights statements in its XMP packet."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from crawlers.formats import safe_xml
from crawlers.formats.html.page_metadata import MAX_AUTHOR, MAX_TITLE, iso_date
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors

MAX_PACKET = 1024 * 1024  # bytes of an XMP packet, unpacked; real ones have 1 to 60 KB
MAX_PACKETS = 20  # limit of packets read; a file that was saved repeatedly keeps the old ones
DICTIONARY = 2_000  # bytes between the type of a stream and its data
MAX_VALUE = 2_000  # code points
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# ISO 16684-1 (XMP); TDM Reservation Protocol, "TDM metadata in PDF"; Creative Commons, "XMP".
_NAMES = {
    "http://www.w3.org/ns/tdmrep/": ("tdm", ("reservation", "policy")),
    "http://www.w3.org/ns/tdmrep#": ("tdm", ("reservation", "policy")),
    "http://creativecommons.org/ns#": ("cc", ("license", "attributionName", "attributionURL")),
    "http://purl.org/dc/elements/1.1/": ("dc", ("rights", "title", "creator")),
    "http://ns.adobe.com/xap/1.0/rights/": ("xmpRights", ("WebStatement", "UsageTerms", "Marked", "Owner")),
    "http://ns.adobe.com/xap/1.0/": ("xmp", ("CreateDate", "ModifyDate")),
}
_PACKET = re.compile(rb"<x:xmpmeta\b|<rdf:RDF\b")
_ENDS = (b"</x:xmpmeta>", b"</rdf:RDF>")
_METADATA = re.compile(rb"/Type\s{0,9}/Metadata\b")
_STREAM = re.compile(rb"stream\r?\n")
# Programs that print name the file after themselves, or after its path.
_NO_TITLE = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel|office)|untitled|제목 ?없음|무제|문서 ?\d{0,3}$|document ?\d{0,3}$|slide \d"
    r"|powerpoint|프레젠테이션|print(?:ing)?$|출력$|\d{1,20}$|page \d|hwp document|bookmark|새 ?문서)",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"\.(?:docx?|hwpx?|pptx?|xlsx?|pdf|indd|qxd|ps|dvi|tex|txt|html?|rtf|odt|cdr|ai|dwg)$", re.IGNORECASE
)
_PATH = re.compile(r"[A-Za-z]:\\|\\\\|(?:file|https?):/")
_NO_AUTHOR = re.compile(
    r"(?:user|users?\d{0,3}|admin(?:istrator)?|owner|pc|사용자|관리자|unknown|anonymous|author|작성자|samsung|lg|hp|dell|home|root|microsoft"
    r"|registered user|windows 사용자|windows user|office|com|hnc|hancom|adobe.{0,40})\d{0,4}$",
    re.IGNORECASE,
)
_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})?(\d{2})?")


def title(value: str) -> str:
    """Return a stated title, or "" if it is a file name, a program name or mojibake.

    >>> title("반도체 산업 동향"), title("Microsoft Word - 보고서.doc"), title("½ÇÅÂ Á¶»ç"), title("report_v2.hwp")
    ('반도체 산업 동향', '', '', '')
    """
    text = " ".join(value.split())
    if len(text) < 2 or len(text) > MAX_TITLE or _is_garbled(text):
        return ""
    return "" if _NO_TITLE.match(text) or _FILE.search(text) or _PATH.match(text) else text


def author(value: str) -> str:
    """Return a stated author, or "" if it is the name of an account.

    >>> author("한국은행 조사국"), author("Administrator"), author("user1")
    ('한국은행 조사국', '', '')
    """
    text = " ".join(value.split())
    return "" if not text or len(text) > MAX_AUTHOR or _is_garbled(text) or _NO_AUTHOR.match(text) else text


def date(value: str) -> str:
    """Return the ISO date of a PDF date (ISO 32000-1, 7.9.4) or of an ISO date; "" for an impossible date.

    >>> date("D:20240105093000+09'00'"), date("2024-01-05T09:30:00+09:00"), date("D:2024"), date("D:20241399")
    ('2024-01-05', '2024-01-05', '', '')
    """
    found = _DATE.match(value.strip())
    if found and all(found.groups()):
        value = "-".join(found.groups())
    known = iso_date(value.strip()[:30])
    # Acrobat was released in 1993; earlier dates come from clocks that were never set.
    return known if "1993" <= known[:4] <= "2100" else ""


def xmp(body: bytes) -> dict[str, str]:
    """Return the rights and origin statements of a PDF's XMP packets by prefixed name; {} if it has none.

    Keys: `tdm:reservation`, `tdm:policy`, `cc:license`, `dc:rights`, `dc:title`, `dc:creator`,
    `xmpRights:WebStatement`, `xmpRights:UsageTerms`, `xmpRights:Marked`, `xmpRights:Owner`, `cc:attributionName`,
    `cc:attributionURL`, `xmp:CreateDate`, `xmp:ModifyDate`. If packets differ, the last one wins, but a reservation in
    any packet is kept. A packet inside an encrypted file is not read.

    >>> packet = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    >>> packet += '<rdf:Description xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/>'
    >>> packet += "</rdf:RDF></x:xmpmeta>"
    >>> xmp(packet.encode())
    {'tdm:reservation': '1'}
    """
    found: dict[str, str] = {}
    for packet in _packets(body):
        stated: dict[str, str] = {}
        try:
            root = safe_xml.parse(packet)
        except Unreadable:
            continue
        for element in root.iter(f"{{{_RDF}}}Description"):
            for name, value in element.attrib.items():
                _keep(stated, str(name), str(value))
            for child in element:
                if isinstance(child.tag, str):
                    # Of a list, the text of its members.
                    members = (" ".join((item.text or "").split()) for item in child.iter(f"{{{_RDF}}}li"))
                    text = "; ".join(dict.fromkeys(filter(None, members))) or " ".join((child.text or "").split())
                    _keep(stated, child.tag, child.get(f"{{{_RDF}}}resource") or text)
        if found.get("tdm:reservation") == "1":
            stated["tdm:reservation"] = "1"
        found |= stated
    return found


def _is_garbled(text: str) -> bool:
    western = sum("\x80" <= char <= "\u02af" for char in text)
    return bool(_BAD.search(text)) or western > 0.3 * len(text) or text.count("?") > 0.3 * len(text)


def _packets(body: bytes) -> Iterator[bytes]:
    """Yield uncompressed packets, then those in compressed streams whose dictionary says metadata."""
    left = MAX_PACKETS
    at = 0
    while left and (start := _PACKET.search(body, at)):
        mark = _ENDS[start.group() == b"<rdf:RDF"]
        end = body.find(mark, start.start(), start.start() + MAX_PACKET)
        at = end + len(mark) if end > 0 else start.end()
        if end > 0:
            yield body[start.start() : at]
        left -= 1
    at = 0
    while left and (start := _METADATA.search(body, at)):
        at = start.end()
        left -= 1
        stream = _STREAM.search(body, at, at + DICTIONARY)
        if stream is None:
            continue
        try:
            with input_errors(zlib.error, MemoryError):
                unpacked = zlib.decompressobj().decompress(body[stream.end() : stream.end() + MAX_PACKET], MAX_PACKET)
        except zlib.error:
            continue
        for opening, ending in ((b"<x:xmpmeta", _ENDS[0]), (b"<rdf:RDF", _ENDS[1])):
            first, last = unpacked.find(opening), unpacked.rfind(ending)
            if 0 <= first < last:
                yield unpacked[first : last + len(ending)]
                break


def _keep(found: dict[str, str], name: str, value: str) -> None:
    space, _, local = name[1:].partition("}")
    prefix, wanted = _NAMES.get(space, ("", ()))
    if local in wanted and (value := value.strip()[:MAX_VALUE]):
        key = f"{prefix}:{local}"
        if key != "tdm:reservation" or found.get(key) != "1":
            found[key] = value
