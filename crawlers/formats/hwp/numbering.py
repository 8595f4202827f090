"""What Hancom programs store with a paragraph: its number or bullet ("1.", "가.", "제1조", "•"), and its form fields.

Numbers are stored in the shape of a paragraph, not in its words, but readers see them: without them a statute
loses its articles. The prompt of an empty form field ("누름틀") is stored as if somebody had typed it. Source as in
crawlers/formats/hwp/hwp_records.py: "문단 번호", "글머리표", "문단 모양", "필드 컨트롤"; KS X 6101, CLICK_HERE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from struct import error, unpack_from

from lxml import etree

from crawlers.formats.hwp.hwp_records import BULLET, NUMBERING, PARAGRAPH_SHAPE, Record, read_counted_string

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
_PROMPT = re.compile(r"Direction:wstring:(\d{1,5}):")


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
        roman = ""
        for value, letters in _ROMAN:
            while number >= value:
                roman += letters
                number -= value
        return roman.upper() if form == "ROMAN_CAPITAL" else roman
    if form in _DIGITS and 0 < number < 100:
        tens, ones = divmod(number, 10)
        words = _DIGITS[form]
        return (words[tens] if tens > 1 else "") + (words[10] if tens else "") + (words[ones] if ones else "")
    return str(number)


def read_record_shapes(head: Iterable[Record]) -> Shapes:
    """Read the shapes in the records of DocInfo; ids of numberings and bullets begin with 1, of shapes with 0."""
    paragraphs: dict[int, tuple[str, int, int]] = {}
    numberings: dict[int, tuple[Level, ...]] = {}
    bullets: dict[int, str] = {}
    for record in head:
        if record.tag == PARAGRAPH_SHAPE:
            flags, number = unpack_from("<I26xH", record.data) if len(record.data) >= 32 else (0, 0)
            paragraphs[len(paragraphs)] = _KINDS[flags >> 23 & 3], number, flags >> 25 & 7
        elif record.tag == NUMBERING:
            numberings[len(numberings) + 1] = _read_levels(record.data)
        elif record.tag == BULLET:
            bullets[len(bullets) + 1] = record.data[12:14].decode("utf-16-le", "ignore")
    return Shapes(paragraphs, numberings, bullets)


def _read_levels(data: bytes) -> tuple[Level, ...]:
    forms: list[tuple[str, str]] = []
    end = 0
    try:
        for _ in range(RECORD_LEVELS):
            form = unpack_from("<I", data, end)[0] >> 5 & 0xF
            pattern, end = read_counted_string(data, end + 12)
            forms.append((pattern, _FORMS[form] if form < len(_FORMS) else "DIGIT"))
        starts = unpack_from("<7I", data, end + 2) if len(data) >= end + 30 else (unpack_from("<H", data, end)[0],)
    except error:
        return ()
    starts += (1,) * RECORD_LEVELS
    return tuple(
        Level(pattern, form, start if 0 < start < MAX_NUMBER else 1)
        for (pattern, form), start in zip(forms, starts, strict=False)
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
                shape = element.get("type", "").lower(), _int(element.get("idRef")), _int(element.get("level"))
                paragraphs[_int(above.get("id"))] = shape
        elif kind == "parashape" and (heading := element.get("HeadingType")):
            shape = heading.lower(), _int(element.get("Heading")), _int(element.get("Level"))
            paragraphs[_int(element.get("Id"))] = shape
        elif kind == "numbering":
            levels = []
            for child in element:
                if name(child) == "parahead":
                    form = child.get("numFormat") or child.get("NumFormat") or ""
                    if not form.isupper():  # HWPML writes "HangulSyllable" for OWPML's "HANGUL_SYLLABLE"
                        form = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", form).upper()
                    pattern = "".join(map(str, child.itertext()))[:100]
                    levels.append(Level(pattern, form, _int(child.get("start") or child.get("Start") or "1")))
            numberings[_int(element.get("id") or element.get("Id"))] = tuple(levels[:LEVELS])
        elif kind == "bullet":
            sign = element.get("char") or element.get("Char") or ""
            bullets[_int(element.get("id") or element.get("Id"))] = sign[:2]
    return Shapes(paragraphs, numberings, bullets)


def _int(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else 0


def name(element: etree._Element) -> str:
    """Return the name of an element without its namespace, in lower case; "" for a comment or similar.

    OWPML and HWPML differ only in these.

    >>> name(etree.XML('<hp:secPr xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"/>'))
    'secpr'
    """
    return _fold_name(element.tag) if isinstance(element.tag, str) else ""


@lru_cache(maxsize=1024)
def _fold_name(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


@dataclass(slots=True)
class OpenFields:
    """Fields of a paragraph whose end has not been read: the index of their first word, and their prompt."""

    _fields: list[tuple[int, str]] = field(default_factory=list)

    def open(self, words: list[str], prompt: str) -> None:
        """Begin a field behind the words; `prompt` is "" for a field that is not empty or has none."""
        self._fields.append((len(words), prompt))

    def close(self, words: list[str]) -> None:
        """End the innermost field; remove its words if they are its prompt."""
        if not self._fields:  # the field began in an earlier paragraph
            return
        start, prompt = self._fields.pop()
        if prompt and "".join(words[start:]).strip() == prompt:
            del words[start:]


def read_prompt(command: str) -> str:
    """Return the prompt in the command of a field; "" without one.

    >>> read_prompt("Clickhere:set:44:Direction:wstring:5:이름 입력 HelpState:wstring:0:  ")
    '이름 입력'
    """
    match = _PROMPT.search(command)
    return command[match.end() : match.end() + int(match[1])].strip() if match else ""
