"""Compute the numbers and bullets that a Hancom program prints before paragraphs: "1.", "가.", "제1조", "•".

They are stored in the shape of a paragraph, not in its words, but readers see them: without them a statute
loses its articles. Source as in crawlers/formats/hwp/hwp_records.py: "문단 번호", "글머리표" and "문단 모양".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from struct import error, unpack_from

from lxml import etree

from crawlers.formats.hwp.hwp_records import BULLET, NUMBERING, PARAGRAPH_SHAPE, Record, read_counted_string
from crawlers.formats.hwp.tag_names import name

LEVELS = 10
RECORD_LEVELS = 7  # levels of a paragraph shape in HWP 5
MAX_NUMBER = 100_000  # a greater number is damage
_PLACE = re.compile(r"\^(10|[1-9nN])")  # number of a level; "1.1.1", numbers of all levels; "1.1.1."
_KINDS = ("none", "outline", "number", "bullet")
# Number formats, in the order of their codes in HWP 5; their names are OWPML's.
# fmt: off
_FORMS = (
    "DIGIT", "CIRCLED_DIGIT", "ROMAN_CAPITAL", "ROMAN_SMALL", "LATIN_CAPITAL", "LATIN_SMALL", "CIRCLED_LATIN_CAPITAL",
    "CIRCLED_LATIN_SMALL", "HANGUL_SYLLABLE", "CIRCLED_HANGUL_SYLLABLE", "HANGUL_JAMO", "CIRCLED_HANGUL_JAMO",
    "HANGUL_PHONETIC", "IDEOGRAPH", "CIRCLED_IDEOGRAPH",
)
# fmt: on
_ROWS = {
    "CIRCLED_DIGIT": "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "LATIN_CAPITAL": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "LATIN_SMALL": "abcdefghijklmnopqrstuvwxyz",
    "CIRCLED_LATIN_CAPITAL": "ⒶⒷⒸⒹⒺⒻⒼⒽⒾⒿⓀⓁⓂⓃⓄⓅⓆⓇⓈⓉⓊⓋⓌⓍⓎⓏ",
    "CIRCLED_LATIN_SMALL": "ⓐⓑⓒⓓⓔⓕⓖⓗⓘⓙⓚⓛⓜⓝⓞⓟⓠⓡⓢⓣⓤⓥⓦⓧⓨⓩ",
    "HANGUL_SYLLABLE": "".join(
        chr(0xAC00 + 588 * onset + 28 * vowel)
        for vowel in (0, 4, 8, 13, 18, 20)  # ㅏ ㅓ ㅗ ㅜ ㅡ ㅣ
        for onset in (0, 2, 3, 5, 6, 7, 9, 11, 12, 14, 15, 16, 17, 18)  # plain consonants
    ),
    "CIRCLED_HANGUL_SYLLABLE": "㉮㉯㉰㉱㉲㉳㉴㉵㉶㉷㉸㉹㉺㉻",
    "HANGUL_JAMO": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "CIRCLED_HANGUL_JAMO": "㉠㉡㉢㉣㉤㉥㉦㉧㉨㉩㉪㉫㉬㉭",
    "CIRCLED_IDEOGRAPH": "㊀㊁㊂㊃㊄㊅㊆㊇㊈㊉",
}
_DIGITS = {"HANGUL_PHONETIC": "영일이삼사오육칠팔구십", "IDEOGRAPH": "零一二三四五六七八九十"}
_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(frozen=True, slots=True)
class Level:
    """Numbering of one level: the pattern "^1.^2", and format and first value of its own number."""

    pattern: str
    form: str = "DIGIT"
    start: int = 1


@dataclass(frozen=True, slots=True)
class Shapes:
    """Paragraph shapes and numberings in the head of a document, by their ids."""

    paragraphs: Mapping[int, tuple[str, int, int]]  # shape → kind, id of numbering or bullet, level from 0
    numberings: Mapping[int, tuple[Level, ...]]
    bullets: Mapping[int, str]


NO_SHAPES = Shapes({}, {}, {})


@dataclass(slots=True)
class Numbers:
    """Counter of the paragraphs of a document, in order."""

    shapes: Shapes = NO_SHAPES
    outline: int = 0  # id of the numbering of outline paragraphs, set by each section
    _counts: dict[int, list[int]] = field(default_factory=dict)

    def head(self, shape: int) -> str:
        """Return number or bullet of a paragraph of this shape, followed by a space; each call counts the paragraph."""
        kind, number, level = self.shapes.paragraphs.get(shape, ("none", 0, 0))
        if kind == "bullet":
            bullet = self.shapes.bullets.get(number, "")
            return f"{bullet} " if bullet.strip("\0 ") else ""
        levels = self.shapes.numberings.get(self.outline if kind == "outline" else number, ())
        if kind == "none" or level >= len(levels):
            return ""
        said = self._count(number if kind == "number" else -self.outline, levels, level)
        return f"{said} " if said else ""

    def _count(self, key: int, levels: tuple[Level, ...], level: int) -> str:
        counts = self._counts.setdefault(key, [0] * LEVELS)
        for above in range(level):  # a skipped level counts as started
            counts[above] = counts[above] or levels[above].start
        counts[level] = counts[level] + 1 if counts[level] else levels[level].start
        counts[level + 1 :] = [0] * (LEVELS - level - 1)

        def number(place: re.Match[str]) -> str:
            if place[1] in "nN":
                path = ".".join(numeral(count, of.form) for count, of in zip(counts[: level + 1], levels, strict=False))
                return path if place[1] == "n" else f"{path}."
            at = int(place[1]) - 1
            return numeral(counts[at], levels[at].form) if at < len(levels) else ""

        return _PLACE.sub(number, levels[level].pattern)


def numeral(number: int, form: str) -> str:
    """Return a number in an OWPML format; in digits beyond the range of the format.

    >>> [numeral(2, form) for form in ("DIGIT", "HANGUL_SYLLABLE", "CIRCLED_DIGIT", "ROMAN_CAPITAL")]
    ['2', '나', '②', 'II']
    >>> numeral(99, "CIRCLED_DIGIT"), numeral(29, "HANGUL_SYLLABLE"), numeral(21, "HANGUL_PHONETIC")
    ('99', '고', '이십일')
    """
    row = _ROWS.get(form, "")
    if 0 < number <= len(row):
        return row[number - 1]
    if form.startswith("ROMAN") and 0 < number < 400:
        return _roman(number).upper() if form == "ROMAN_CAPITAL" else _roman(number)
    if form in _DIGITS and 0 < number < 100:
        tens, ones = divmod(number, 10)
        words = _DIGITS[form]
        return (words[tens] if tens > 1 else "") + (words[10] if tens else "") + (words[ones] if ones else "")
    return str(number)


def _roman(number: int) -> str:
    found = ""
    for value, letters in _ROMAN:
        while number >= value:
            found += letters
            number -= value
    return found


def read_record_shapes(head: Iterable[Record]) -> Shapes:
    """Read the shapes in the records of DocInfo; ids of numberings and bullets begin with 1, of shapes with 0."""
    paragraphs: dict[int, tuple[str, int, int]] = {}
    numberings: dict[int, tuple[Level, ...]] = {}
    bullets: dict[int, str] = {}
    for record in head:
        if record.tag == PARAGRAPH_SHAPE:
            paragraphs[len(paragraphs)] = _shape(record.data)
        elif record.tag == NUMBERING:
            numberings[len(numberings) + 1] = _numbering(record.data)
        elif record.tag == BULLET:
            bullets[len(bullets) + 1] = record.data[12:14].decode("utf-16-le", "ignore")
    return Shapes(paragraphs, numberings, bullets)


def _shape(data: bytes) -> tuple[str, int, int]:
    if len(data) < 32:
        return "none", 0, 0
    flags, number = unpack_from("<I26xH", data)
    return _KINDS[flags >> 23 & 3], number, flags >> 25 & 7


def _numbering(data: bytes) -> tuple[Level, ...]:
    found: list[tuple[str, str]] = []
    at = 0
    try:
        for _ in range(RECORD_LEVELS):
            form = unpack_from("<I", data, at)[0] >> 5 & 0xF
            pattern, at = read_counted_string(data, at + 12)
            found.append((pattern, _FORMS[form] if form < len(_FORMS) else "DIGIT"))
        starts = unpack_from("<7I", data, at + 2) if len(data) >= at + 30 else (unpack_from("<H", data, at)[0],)
    except error:
        return ()
    starts += (1,) * RECORD_LEVELS
    return tuple(
        Level(pattern, form, start if 0 < start < MAX_NUMBER else 1)
        for (pattern, form), start in zip(found, starts, strict=False)
    )


def read_xml_shapes(root: etree._Element) -> Shapes:
    """Read the shapes in the head of OWPML or HWPML, where they have explicit ids."""
    paragraphs: dict[int, tuple[str, int, int]] = {}
    numberings: dict[int, tuple[Level, ...]] = {}
    bullets: dict[int, str] = {}
    for element in root.iter():
        kind = name(element)
        if kind == "heading":
            above = element.getparent()
            if above is not None and name(above) == "parapr":
                said = element.get("type", "").lower(), _int(element.get("idRef")), _int(element.get("level"))
                paragraphs[_int(above.get("id"))] = said
        elif kind == "parashape" and (said_kind := element.get("HeadingType")):
            said = said_kind.lower(), _int(element.get("Heading")), _int(element.get("Level"))
            paragraphs[_int(element.get("Id"))] = said
        elif kind == "numbering":
            numberings[_int(element.get("id") or element.get("Id"))] = _levels(element)
        elif kind == "bullet":
            sign = element.get("char") or element.get("Char") or ""
            bullets[_int(element.get("id") or element.get("Id"))] = sign[:2]
    return Shapes(paragraphs, numberings, bullets)


def _levels(element: etree._Element) -> tuple[Level, ...]:
    found = [
        Level(
            "".join(map(str, child.itertext()))[:100],
            _form(child.get("numFormat") or child.get("NumFormat") or ""),
            _int(child.get("start") or child.get("Start") or "1"),
        )
        for child in element
        if name(child) == "parahead"
    ]
    return tuple(found[:LEVELS])


def _form(said: str) -> str:
    """Normalise a format name: HWPML writes "HangulSyllable" for OWPML's "HANGUL_SYLLABLE"."""
    return said if said.isupper() else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", said).upper()


def _int(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else 0
