"""PDFs of a few kilobytes that expand without end: forms that draw forms, in the writings that a PDF allows."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping

from tests.builders.documents.small_pdf import _file, _gathered

LEVELS = 9
FAN = 10  # 10 to the 9th drawings


def nested(writing: str = "plain") -> bytes:
    """A PDF of one page whose forms draw each other a billion times, written as `writing` says."""
    made = _forms(writing)
    inside = writing == "object streams"
    made = _gathered(made) if inside else made
    return _file(made, None, "owner" if writing == "encrypted" else None)


def _forms(writing: str) -> dict[int, bytes]:
    inherited = b"/Resources<</XObject<</X 20 0 R>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%s/Contents %s>>"
    contents = b"[" + b"4 0 R " * 20 + b"]" if writing == "contents repeated" else b"4 0 R"
    made = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Count 1/Kids[3 0 R]%s>>" % (inherited if writing == "inherited resources" else b""),
        3: page % (b"" if writing == "inherited resources" else inherited, contents),
        4: _stream(b"/X Do", writing),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        8: b"<<>>",
    }
    for level in range(LEVELS):
        made[20 + level] = _form(b"/X Do " * FAN, 20 + (level + 1) % (LEVELS if writing == "cycle" else 99), writing)
    if writing in ("pattern", "type 3 font", "appearance"):
        made |= _elsewhere(writing)
    leaf = b"" if writing == "nothing drawn" else b"0 0 1 1 re f BT /F 9 Tf (a) Tj ET"
    made[20 + LEVELS] = _form(leaf, 20 + LEVELS, writing)
    return made


def _elsewhere(writing: str) -> dict[int, bytes]:
    """The page and what draws the forms in its place: a tiling pattern, a glyph, the appearance of a note."""
    draws = b"/Resources<</XObject<</X 20 0 R>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R%s>>"
    if writing == "appearance":
        note = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 9 9]/AP<</N 20 0 R>>>>"
        return {3: page % (b"/Annots[%s]" % note), 4: _stream(b"", writing)}
    if writing == "pattern":
        kind = b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9" + draws
        shown = b"/Pattern cs /P scn 0 0 99 99 re f"
        return {
            3: page % b"/Resources<</Pattern<</P 6 0 R>>>>",
            4: _stream(shown, writing),
            6: _stream(b"/X Do", writing, kind),
        }
    font = b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 97/LastChar 97/Widths[9]"
    font += b"/Encoding<</Differences[97/a]>>/CharProcs<</a 7 0 R>>%s>>" % draws
    return {
        3: page % b"/Resources<</Font<</F 6 0 R>>>>",
        4: _stream(b"BT /F 9 Tf (aaa) Tj ET", writing),
        6: font,
        7: _stream(b"9 0 d0 /X Do", writing),
    }


def _form(content: bytes, inner: int, writing: str) -> bytes:
    name = b"/#58Object" if writing == "escaped names" else b"/XObject"
    resources = b"/Resources<<%s<</X %d 0 R>>/Font<</F 5 0 R>>>>" % (name, inner)
    return _stream(content, writing, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]" + resources)


def _stream(content: bytes, writing: str, more: bytes = b"") -> bytes:
    filters: Mapping[str, tuple[bytes, bytes]] = {
        "deflated": (b"/Filter/FlateDecode", zlib.compress(content)),
        "ascii85": (b"/Filter[/ASCII85Decode/FlateDecode]", base64.a85encode(zlib.compress(content)) + b"~>"),
        "hex": (b"/Filter[/ASCIIHexDecode]", content.hex().encode() + b">"),
    }
    named, packed = filters.get(writing, (b"", content))
    return b"<</Length %d%s%s>>stream\n%s\nendstream" % (len(packed), named, more, packed)


def page_tree(levels: int = 9, fan: int = 20) -> bytes:
    """A PDF whose page tree names each of its nodes 20 times, and counts nothing."""
    made = {
        1: b"<</Type/Catalog/Pages 20 0 R>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        4: _stream(b"", ""),
        8: b"<<>>",
    }
    for level in range(levels):
        made[20 + level] = b"<</Type/Pages/Kids[%s]>>" % (b"%d 0 R " % (21 + level if level + 1 < levels else 3) * fan)
    return _file(made, None, None)


__all__ = ["nested", "page_tree"]
