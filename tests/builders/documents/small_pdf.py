"""Write a small PDF whose font says in a ToUnicode map which character each glyph is; nothing is embedded."""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass

PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")  # ISO 32000-1, 7.6.3.3
ALLOWED = -44  # permission flags: print and nothing else


@dataclass(frozen=True)
class Put:
    """Text at a place: points from the left and from the bottom of an A4 page, size in points."""

    x: float
    y: float
    text: str
    size: float = 10.0
    fixed: bool = False  # in a font whose descriptor says that all its letters have one width


@dataclass(frozen=True)
class Stroke:
    """A line from one place to another, in points."""

    x: float
    y: float
    to_x: float
    to_y: float
    text: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture of one grey dot that is stretched over a part of the page, in points."""

    x: float
    y: float
    width: float
    height: float
    text: str = ""


def ruled(xs, ys, *, sides=True):
    """The strokes of a table without merged cells; without `sides`, it has no line on the left and on the right."""
    upright = [Stroke(x, ys[0], x, ys[-1]) for x in (xs if sides else xs[1:-1])]
    return [Stroke(xs[0], y, xs[-1], y) for y in ys] + upright


def column(lines, *, x=70.0, top=760.0, pitch=16.0, size=10.0):
    """Lines under each other; a line that is a pair is moved to the right by so many points."""
    moved = [line if isinstance(line, tuple) else (0.0, line) for line in lines]
    return [Put(x + right, top - pitch * place, text, size) for place, (right, text) in enumerate(moved) if text]


def pdf(pages, *, info=None, xmp=b"", mapped=True, user=None, owner=None, packed=False, objects=False, again=1):
    """The bytes of a PDF.

    `user`, `owner`: passwords (RC4, 40 bits); `packed`: streams deflated; `objects`: the information dictionary and
    the page tree stand in an object stream, as PDF 1.5 allows; `again`: how often the page tree names each page.
    """
    letters = sorted({char for page in pages for put in page for char in put.text})
    glyphs = {char: code for code, char in enumerate(letters, 1)}
    made = {
        1: b"<</Type/Catalog/Pages 2 0 R%s>>" % (b"/Metadata 7 0 R" if xmp else b""),
        3: b"<</Type/Font/Subtype/Type0/BaseFont/Small/Encoding/Identity-H/DescendantFonts[4 0 R]%s>>"
        % (b"/ToUnicode 6 0 R" if mapped else b""),
        4: b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Small/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
        b"/Supplement 0>>/FontDescriptor 5 0 R/DW 1000/W[%s]>>" % _widths(glyphs),
        5: b"<</Type/FontDescriptor/FontName/Small/Flags 4/FontBBox[0 -200 1000 800]/ItalicAngle 0/Ascent 800"
        b"/Descent -200/CapHeight 700/StemV 80>>",
        6: _stream(_to_unicode(glyphs), packed=packed),
        8: b"<<%s>>" % b"".join(b"/%s%s" % (key.encode(), _string(value)) for key, value in (info or {}).items()),
    }
    if xmp:
        made[7] = _stream(xmp, b"/Type/Metadata/Subtype/XML", packed=packed)
    fixed = b""
    if any(getattr(put, "fixed", False) for page in pages for put in page):
        at = 10 + 2 * len(pages)
        fixed = b"/G %d 0 R" % at
        made[at] = made[3].replace(b"4 0 R", b"%d 0 R" % (at + 1))
        made[at + 1] = made[4].replace(b"5 0 R", b"%d 0 R" % (at + 2))
        made[at + 2] = made[5].replace(b"/Flags 4", b"/Flags 5")
    kids = []
    for place, page in enumerate(pages):
        number = 10 + 2 * place
        kids.append(b"%d 0 R" % number)
        made[number] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R%s>>>>/Contents %d 0 R>>"
            % (fixed, number + 1)
        )
        made[number + 1] = _stream(b"".join(_show(put, glyphs) for put in page), packed=packed)
    made[2] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (again * len(kids), b" ".join(kids * again))
    if objects:
        made = _gathered(made)
    return _file(made, user, owner)


def stuffed(size):
    """A PDF of one page whose content stream is `size` bytes of white space and marks when unpacked."""
    body = pdf([[Put(70, 700, "가")]])
    squeeze = zlib.compressobj(9)
    block = b"1 0 0 RG\n" * 100_000
    parts = [squeeze.compress(block) for _ in range(size // len(block))]
    bomb = b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream"
    packed = b"".join(parts) + squeeze.flush()
    head, _, rest = body.partition(b"11 0 obj\n")
    return head + b"11 0 obj\n" + bomb % (len(packed), packed) + b"\nendobj\n" + rest.partition(b"endobj\n")[2]


def _show(put, glyphs):
    if isinstance(put, Stroke):
        return f"{put.x:.2f} {put.y:.2f} m {put.to_x:.2f} {put.to_y:.2f} l S\n".encode()
    if isinstance(put, Picture):
        place = f"q {put.width:.2f} 0 0 {put.height:.2f} {put.x:.2f} {put.y:.2f} cm "
        return place.encode() + b"BI /W 1 /H 1 /BPC 8 /CS /G ID \x80 EI Q\n"
    codes = "".join(f"{glyphs[char]:04X}" for char in put.text)
    return f"BT /{'G' if put.fixed else 'F'} {put.size} Tf {put.x:.2f} {put.y:.2f} Td <{codes}> Tj ET\n".encode()


def _widths(glyphs):
    narrow = [code for char, code in glyphs.items() if ord(char) < 256]
    return b" ".join(b"%d[500]" % code for code in narrow)


def _to_unicode(glyphs):
    lines = ["/CIDInit /ProcSet findresource begin 12 dict begin begincmap", "/CMapName /Small def /CMapType 2 def"]
    lines += ["1 begincodespacerange <0000> <FFFF> endcodespacerange"]
    pairs = [f"<{code:04X}> <{char.encode('utf-16-be').hex().upper()}>" for char, code in glyphs.items()]
    for start in range(0, len(pairs), 100):
        block = pairs[start : start + 100]
        lines += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    return "\n".join([*lines, "endcmap end end"]).encode()


def _stream(content, more=b"", *, packed=False):
    if packed:
        content, more = zlib.compress(content), more + b"/Filter/FlateDecode"
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), more, content)


def _string(value):
    raw = value if isinstance(value, bytes) else b"\xfe\xff" + value.encode("utf-16-be")
    return b"<%s>" % raw.hex().encode()


def _gathered(made):
    """The objects that are no streams, moved into an object stream (number 9)."""
    plain = {number: content for number, content in made.items() if b"stream" not in content}
    places, parts, at = [], [], 0
    for number, content in plain.items():
        places.append(b"%d %d" % (number, at))
        parts.append(content + b"\n")
        at += len(content) + 1
    head = b" ".join(places) + b"\n"
    packed = zlib.compress(head + b"".join(parts))
    more = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(plain), len(head))
    kept = {number: content for number, content in made.items() if number not in plain}
    return kept | {9: _stream(packed, more), -1: list(plain)}


def _file(made, user, owner):
    inside = made.pop(-1, [])
    locked, trailer = _locked(made, user, owner) if user is not None or owner is not None else (made, b"")
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, content in sorted(locked.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    last = max([*places, *inside]) + 1
    at = len(out)
    keys = b"/Root 1 0 R/Info 8 0 R%s" % trailer
    if inside:
        rows = b"".join(
            (b"\x01" + places[n].to_bytes(4, "big") + b"\0\0")
            if n in places
            else (b"\x02" + (9).to_bytes(4, "big") + inside.index(n).to_bytes(2, "big"))
            if n in inside
            else bytes(7)
            for n in range(last)
        )
        out += b"%d 0 obj\n<</Type/XRef/W[1 4 2]/Size %d%s/Length %d>>stream\n" % (last, last, keys, len(rows))
        out += rows + b"\nendstream\nendobj\n"
    else:
        out += b"xref\n0 %d\n0000000000 65535 f \n" % last
        for number in range(1, last):
            out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00000 f \n"
        out += b"trailer\n<</Size %d%s>>\n" % (last, keys)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % at


def _locked(made, user, owner):
    """Standard security handler, revision 2 (ISO 32000-1, 7.6.3); strings of the information dictionary go too."""
    padded = [((word or "").encode() + PADDING)[:32] for word in (user, owner or user)]
    name = hashlib.md5(b"small").digest()
    o = _rc4(hashlib.md5(padded[1]).digest()[:5], padded[0])
    flags = ALLOWED.to_bytes(4, "little", signed=True)
    key = hashlib.md5(padded[0] + o + flags + name).digest()[:5]
    u = _rc4(key, PADDING)
    locked = {number: _locked_object(content, number, key) for number, content in made.items()}
    locked[9] = b"<</Filter/Standard/V 1/R 2/Length 40/P %d/O<%s>/U<%s>>>" % (
        ALLOWED,
        o.hex().encode(),
        u.hex().encode(),
    )
    return locked, b"/Encrypt 9 0 R/ID[<%s><%s>]" % (name.hex().encode(), name.hex().encode())


def _locked_object(content, number, key):
    own = hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10]
    if b"stream\n" in content:
        head, _, rest = content.partition(b"stream\n")
        return head + b"stream\n" + _rc4(own, rest[: -len(b"\nendstream")]) + b"\nendstream"
    if number == 8:
        return re.sub(
            rb"(?<=<)[0-9a-f]+(?=>)", lambda m: _rc4(own, bytes.fromhex(m[0].decode())).hex().encode(), content
        )
    return content


def _rc4(key, data):
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)
