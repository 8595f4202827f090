"""Small Hancom documents, written byte by byte by these tests: compound files of records, and archives of OWPML."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crawlers import formats
from crawlers.formats.hwp import hwp5
from malmoi.source import Extracted, Item

PACKED, PASSWORD, DISTRIBUTION, DRM, CERTIFICATE = 0x1, 0x2, 0x4, 0x10, 0x100
PLACEHOLDER = "상위 버전의 배포용 문서입니다. 새 판이 필요합니다."
_END, _FREE, _FAT, _DIFAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFC, 0xFFFFFFFF
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096


def read(body: bytes, name: str = "a.hwp") -> Extracted:
    """What the project makes of a file."""
    return formats.extract(Item(key=name, url=f"https://a.example/{name}", body=body, media="", charset="", record="r"))


# HWP 5 ------------------------------------------------------------------------------------------------------------


def hwp(*sections: bytes, flags: int = PACKED, version: int = 0x05010000, more: Mapping[str, bytes] = {}) -> bytes:
    """An HWP 5 document of sections of records, packed and locked as the flags say; `more` replaces streams."""
    streams = {
        "FileHeader": b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", version, flags) + bytes(216),
        "DocInfo": _pack(b"", flags),
    }
    for number, section in enumerate(sections):
        packed = _pack(section, flags)
        if flags & DISTRIBUTION:
            streams[f"BodyText/Section{number}"] = _pack(
                paragraph("상위 버전의 배포용 문서입니다. 새 판이 필요합니다."), flags
            )
            streams[f"ViewText/Section{number}"] = locked(packed)
        else:
            streams[f"BodyText/Section{number}"] = packed
    return container(streams | dict(more))


def _pack(raw: bytes, flags: int) -> bytes:
    if not flags & PACKED:
        return raw
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(raw) + packer.flush()


def locked(packed: bytes, seed: int = 0x2A) -> bytes:
    """A section of a distribution document: its record, and the section in blocks of AES behind it."""
    plain = bytearray(256)
    plain[:4] = struct.pack("<I", seed)
    at = 4 + (seed & 0xF)
    plain[at : at + 80] = hashlib.sha1(b"malmoi").hexdigest().upper().encode("utf-16-le")
    key = bytes(plain[at : at + 16])
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    body = encryptor.update(packed + bytes(-len(packed) % 16)) + encryptor.finalize()
    return record(28, 0, hwp5.mask(bytes(plain))) + body


def record(tag: int, level: int, data: bytes = b"") -> bytes:
    """A record; a long one has its size in a number of its own."""
    if len(data) < 0xFFF:
        return struct.pack("<I", tag | level << 10 | len(data) << 20) + data
    return struct.pack("<II", tag | level << 10 | 0xFFF << 20, len(data)) + data


def control(code: int, kind: str) -> str:
    """A control character as it stands in the text: eight units."""
    return chr(code) + (kind[::-1].encode("latin-1") + bytes(8)).decode("utf-16-le") + chr(code)


def paragraph(text: str, *parts: bytes, level: int = 0, shape: int = 0) -> bytes:
    """A paragraph and what hangs on it; the parts stand one level deeper."""
    raw = f"{text}\r".encode("utf-16-le", "surrogatepass")
    head = struct.pack("<IIHBB", len(raw) // 2, 0, shape, 0, 0) + bytes(10)
    return record(66, level, head) + record(67, level + 1, raw) + b"".join(parts)


def with_list(kind: str, *paragraphs: bytes, level: int = 1, data: bytes = b"") -> bytes:
    """A control that holds one list of paragraphs, two levels below its own paragraph."""
    head = record(71, level, kind[::-1].encode() + data)
    return head + record(72, level + 1, bytes(8)) + b"".join(paragraphs)


def box(*paragraphs: bytes, level: int = 1) -> bytes:
    """A drawn box with text, whose list lies below its shape."""
    head = record(71, level, b" osg" + bytes(40)) + record(76, level + 1, bytes(40))
    return head + record(72, level + 2, bytes(8)) + b"".join(paragraphs)


def table(
    cells: Iterable[tuple[int, int, int, int, bytes]], *, level: int = 1, caption: bytes = b"", side: int = 2
) -> bytes:
    """A table of cells (row, column, rows, columns, paragraphs at level + 1); sides are left, right, top, bottom."""
    found = record(71, level, b" lbt" + bytes(40))
    if caption:
        found += record(72, level + 1, struct.pack("<8xI", side)) + caption
    found += record(77, level + 1, bytes(22))
    for row, column, rows, columns, paragraphs in cells:
        found += (
            record(72, level + 1, bytes(8) + struct.pack("<4H", column, row, columns, rows) + bytes(18)) + paragraphs
        )
    return found


def counted(text: str) -> bytes:
    """A string behind its length."""
    raw = text.encode("utf-16-le")
    return struct.pack("<H", len(raw) // 2) + raw


def summary(title: str, author: str, ticks: int) -> bytes:
    """A property set with a title, an author and a time of saving."""
    values = []
    for text in (title, author):
        raw = f"{text}\0".encode("utf-16-le")
        values.append(struct.pack("<II", 0x1F, len(raw) // 2) + raw + bytes(-len(raw) % 4))
    values.append(struct.pack("<IQ", 0x40, ticks))
    at = 8 + 8 * len(values)
    index = b""
    for number, value in zip((2, 4, 13), values, strict=True):
        index += struct.pack("<II", number, at)
        at += len(value)
    body = struct.pack("<II", at, len(values)) + index + b"".join(values)
    return struct.pack("<HHI16sI", 0xFFFE, 0, 0, bytes(16), 1) + bytes(16) + struct.pack("<I", 48) + body


def container(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of version 3: directory, table of small sectors, small streams, large streams, table."""
    entries: list[list[object]] = [["Root Entry", 5, _NONE, _NONE, _NONE, _END, 0]]
    storages: dict[str, int] = {"": 0}
    last: dict[int, int] = {}
    sectors: list[bytes] = []
    fat: list[int] = []
    mini, mini_fat = b"", list[int]()

    def chain(raw: bytes) -> int:
        start, pieces = len(sectors), [raw[at : at + _SECTOR] for at in range(0, len(raw), _SECTOR)]
        sectors.extend(piece.ljust(_SECTOR, b"\0") for piece in pieces)
        fat.extend((*range(start + 1, start + len(pieces)), _END) if pieces else ())
        return start if pieces else _END

    def add(above: int, entry: list[object]) -> int:
        entries.append(entry)
        number = len(entries) - 1
        if above in last:
            entries[last[above]][3] = number
        else:
            entries[above][4] = number
        last[above] = number
        return number

    for path, raw in streams.items():
        folder, _, name = path.rpartition("/")
        if folder not in storages:
            storages[folder] = add(0, [folder, 1, _NONE, _NONE, _NONE, 0, 0])
        if len(raw) >= _CUTOFF:
            start = chain(raw)
        else:
            start, count = len(mini_fat), -(-len(raw) // _MINI)
            mini += raw.ljust(count * _MINI, b"\0")
            mini_fat.extend((*range(start + 1, start + count), _END) if count else ())
        add(storages[folder], [name, 2, _NONE, _NONE, _NONE, start, len(raw)])
    entries[0][5:] = [chain(mini), len(mini)]
    mini_start = chain(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(-(-len(mini_fat) // 128) * _SECTOR, b"\xff"))
    directory = chain(b"".join(map(_entry, entries)))
    tables, beyond = 1, 0  # sectors of the table, and of the list of them that the header has no room for
    while len(fat) + tables + beyond > tables * 128 or tables - 109 > beyond * 127:
        tables += 1
        beyond = -(-max(0, tables - 109) // 127)
    first, difat = len(sectors), len(sectors) + tables
    fat += [_FAT] * tables + [_DIFAT] * beyond
    raw = struct.pack(f"<{len(fat)}I", *fat).ljust(tables * _SECTOR, b"\xff")
    named = [*range(first, difat)]
    for at in range(beyond):
        part = named[109 + 127 * at : 109 + 127 * (at + 1)]
        following = difat + at + 1 if at + 1 < beyond else _END
        raw += struct.pack("<128I", *part, *[_FREE] * (127 - len(part)), following)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<5I", 0, tables, directory, 0, _CUTOFF)
    head += struct.pack("<4I", mini_start, bool(mini_fat), difat if beyond else _END, beyond)
    return head + struct.pack("<109I", *(named + [_FREE] * 109)[:109]) + b"".join(sectors) + raw


def _entry(entry: list[object]) -> bytes:
    name, kind, left, right, child, start, size = entry
    raw = str(name).encode("utf-16-le")
    head = raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw) + 2, kind, 1, left, right, child)
    return head + bytes(36) + struct.pack("<III", start, size, 0)


# HWPX, HWPML --------------------------------------------------------------------------------------------------------

_OWPML = "http://www.hancom.co.kr/hwpml/2011"
_PACKAGE = """<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:metadata><opf:title>{title}</opf:title>
<opf:meta name="creator" content="text">{author}</opf:meta>
<opf:meta name="ModifiedDate" content="text">{date}</opf:meta></opf:metadata>
<opf:manifest>{items}</opf:manifest><opf:spine>{spine}</opf:spine></opf:package>"""


def hwpx(
    *sections: str,
    order: Iterable[int] = (),
    head: str = "",
    more: Mapping[str, str] = {},
    title: str = "",
    author: str = "",
    date: str = "",
) -> bytes:
    """An HWPX document of sections of paragraphs in OWPML; `more` adds or replaces parts."""
    places = list(order) or list(range(len(sections)))
    parts = {"mimetype": "application/hwp+zip"}
    parts["Contents/content.hpf"] = _PACKAGE.format(
        title=title,
        author=author,
        date=date,
        items="".join(f'<opf:item id="s{at}" href="Contents/section{at}.xml"/>' for at in range(len(sections))),
        spine="".join(f'<opf:itemref idref="s{at}"/>' for at in places),
    )
    parts["Contents/header.xml"] = f'<hh:head xmlns:hh="{_OWPML}/head">{head}</hh:head>'
    for at, section in enumerate(sections):
        names = f'xmlns:hs="{_OWPML}/section" xmlns:hp="{_OWPML}/paragraph"'
        parts[f"Contents/section{at}.xml"] = f"<hs:sec {names}>{section}</hs:sec>"
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (parts | dict(more)).items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 5, 0, 0, 0)), text, compress_type=zipfile.ZIP_DEFLATED)
    return found.getvalue()


def p(*runs: str, shape: int = 0) -> str:
    """A paragraph of OWPML; what is not markup becomes words."""
    inner = "".join(run if run.startswith("<hp:") else f"<hp:t>{run}</hp:t>" for run in runs)
    return f'<hp:p paraPrIDRef="{shape}"><hp:run>{inner}</hp:run></hp:p>'


def cells(*rows: Iterable[str]) -> str:
    """A table of OWPML; each cell is one or more paragraphs."""
    found = ""
    for row, line in enumerate(rows):
        found += "<hp:tr>"
        for column, inner in enumerate(line):
            place = f'<hp:cellAddr colAddr="{column}" rowAddr="{row}"/><hp:cellSpan colSpan="1" rowSpan="1"/>'
            found += f"<hp:tc><hp:subList>{inner}</hp:subList>{place}</hp:tc>"
        found += "</hp:tr>"
    return f"<hp:tbl>{found}</hp:tbl>"


def hwpml(*paragraphs: str, head: str = "") -> bytes:
    """An HWPML document of paragraphs."""
    body = f"<BODY><SECTION Id='0'>{''.join(paragraphs)}</SECTION></BODY>"
    return f'<?xml version="1.0" encoding="UTF-8"?><HWPML Version="2.8"><HEAD>{head}</HEAD>{body}</HWPML>'.encode()
