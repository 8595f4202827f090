"""Single-pass parser of MediaWiki inline markup: templates, links, tables, tags, comments.

The parser keeps a stack of open elements and never backtracks, so its cost grows with the text and not
with nesting; beyond MAX_DEPTH, brackets are plain characters. Unicode noncharacters mark what
later steps need: a removed template (GAP), the border of two cells (CELL).

Templates of Korean wikis that carry text yield it, all others are boilerplate. Their names are compared in lower case,
with spaces and underscores equal; parameters are already rendered. The tables follow the documentation of common
templates; one that a wiki names differently is unknown and loses its text, never gains any.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Parameters: TypeAlias = Mapping[str, str]  # keys: "1", "2" … and names
Carrier: TypeAlias = Callable[[Parameters], str]
# Language names that {{llang}} shows before the words.
LANGUAGES = {
    "en": "영어", "ja": "일본어", "zh": "중국어", "zh-hant": "중국어 정체자", "zh-hans": "중국어 간체자",
    "fr": "프랑스어", "de": "독일어", "es": "스페인어", "it": "이탈리아어", "ru": "러시아어", "la": "라틴어",
    "el": "그리스어", "grc": "고대 그리스어", "ar": "아랍어", "pt": "포르투갈어", "nl": "네덜란드어",
    "sv": "스웨덴어", "fi": "핀란드어", "no": "노르웨이어", "da": "덴마크어", "pl": "폴란드어", "cs": "체코어",
    "hu": "헝가리어", "tr": "터키어", "vi": "베트남어", "th": "태국어", "id": "인도네시아어", "ms": "말레이어",
    "hi": "힌디어", "sa": "산스크리트어", "fa": "페르시아어", "he": "히브리어", "uk": "우크라이나어",
    "mn": "몽골어", "eo": "에스페란토", "ko": "한국어",
}  # fmt: skip
UNITS = {
    "km2": "km²", "m2": "m²", "cm2": "cm²", "km3": "km³", "m3": "m³", "cm3": "cm³", "mi2": "mi²",
    "sqmi": "sq mi", "sqkm": "km²", "c": "°C", "f": "°F", "k": "K", "kg/m3": "kg/m³", "g/cm3": "g/cm³",
    "km/h": "km/h", "lb": "lb",
}  # fmt: skip
# Signs that are written as templates because they are markup characters.
SIGNS = {
    "!": "|", "=": "=", "(": "{", ")": "}", "·": " · ", "•": " • ", "가운뎃점": " · ", "snd": " – ",
    "spaced ndash": " – ", "nbsp": " ", "spaces": " ", "sp": " ", "'": "'", "ndash": "–", "mdash": "—",
    "en dash": "–", "em dash": "—", "gap": " ", "줄": "\n", "br": "\n", "중략": "(중략)", "...": "…",
    "--": "—", "*": "*", "#": "#",
}  # fmt: skip
DISAMBIGUATION = re.compile(
    r"\{\{\s{0,5}(?:(?:[가-힣]{1,10} )?(?:동음이의|동명이인|다른 ?뜻 ?문서)(?:어|어 문서| 문서)?"
    r"|disambig(?:uation)?|hndis|geodis)\s{0,5}[|}]"
    r"|__DISAMBIG__",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[A-Za-z가-힣°µ²³/·⋅%0-9-]{1,20}")
_NUMBER = re.compile(r"[-+−]?[0-9][0-9.,]{0,30}")
CELL = "\ufdd2"  # cell separator until all tables are parsed: a bar in a cell would be parsed as markup again
RULE = "---"  # a cell of the row below the head row
_FURNITURE = re.compile(r"\b(?:infobox|navbox|toc|vertical-navbox|sistersitebox|mbox|ambox|noprint|navigation)", re.I)
_LETTER = re.compile(r"[^\W\d_]")
_BREAK = re.compile(r"<br\b[^<>]{0,200}>", re.IGNORECASE)
_CELLS = re.compile(r"\|\||!!")
MAX_DEPTH = 40  # nested brackets; MediaWiki expands templates to a depth of 40
GAP = "\ufdd3"  # marks the position of removed markup
_HELD, _END = "\ufdd0", "\ufdd1"  # around the number of a verbatim stretch
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Elements whose content is not wiki text, and their replacements:
_VERBATIM = ("nowiki", "pre", "syntaxhighlight", "source")
_FORMULA = ("math", "chem", "ce")
_GONE = (
    "ref", "references", "gallery", "timeline", "score", "imagemap", "templatedata", "graph", "hiero", "mapframe",
    "maplink", "inputbox", "categorytree", "indicator", "templatestyles", "includeonly", "pages", "pagelist", "section",
    "style", "script", "rp", "videoflash", "dynamicpagelist", "quiz",
)  # fmt: skip
_ELEMENT = re.compile(rf"<({'|'.join((*_VERBATIM, *_FORMULA, *_GONE))})(?=[\s/>])([^<>]{{0,2000}})>", re.IGNORECASE)
_TOKEN = re.compile(r"\{\{+|\}\}+|\[\[|\]\]|^[ \t:*#]{0,20}\{\||^[ \t]{0,20}\|\}(?!\})|\||\n\n", re.MULTILINE)
_NAMED = re.compile(r"\s{0,100}([^=|{}\[\]<>\n]{1,60}?)\s{0,100}=")
_PLACEHOLDER = re.compile(f"{_HELD}(\\d{{1,9}}){_END}")
# Link prefixes that are not text: files, categories, and interlanguage links.
_HIDDEN_SPACES = frozenset(("파일", "그림", "file", "image", "분류", "category", "미디어", "media", "틀", "template"))
_LANGUAGE = re.compile(r"[a-z]{2,3}|simple|[a-z]{2,3}-[a-z]{2,10}(?:-[a-z]{2,10})?")
_NO_LANGUAGE = frozenset(("mw", "doi", "wmf", "bug"))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text without brackets; verbatim stretches are held separately, so that they are not parsed."""

    text: str
    held: tuple[str, ...]

    def restore(self, text: str) -> str:
        """Return `text`, which was derived from this one, with the verbatim stretches put back."""
        return _PLACEHOLDER.sub(lambda found: self.held[int(found[1])], text)


def render(text: str) -> Rendered:
    """Return the text without its inline markup; lines, headings and lists are unchanged.

    >>> render("[[서울특별시|서울]]의 {{llang|en|Seoul}}<ref>가</ref>은 '''수도'''").text
    "서울의 영어: Seoul은 '''수도'''"
    """
    text = _NONCHARACTERS.sub("", text.replace("\r\n", "\n"))
    held: list[str] = []
    plain = _take_out_elements(_COMMENT.sub("", text) if "<!--" in text else text, held)
    return Rendered(_Walk(plain).run(), tuple(held))


def _take_out_elements(text: str, held: list[str]) -> str:
    """Replace verbatim stretches and formulas by placeholders (content in `held`), and remove elements without text."""
    out: list[str] = []
    at = 0
    unclosed: set[str] = set()  # names without a further end tag
    while (found := _ELEMENT.search(text, at)) is not None:
        name = found[1].lower()
        out.append(text[at : found.start()])
        at = found.end()
        if found[2].endswith("/"):
            continue
        end = None if name in unclosed else re.compile(rf"</{name}\s{{0,20}}>", re.IGNORECASE).search(text, at)
        if end is None:
            unclosed.add(name)
            continue
        inside, at = text[found.end() : end.start()], end.end()
        if name in _GONE:
            continue
        if name in _FORMULA:
            inside = f"${' '.join(inside.split())}$" if inside.strip() else ""
        elif name in ("nowiki", "pre"):
            inside = html.unescape(inside)
        place = f"{_HELD}{len(held)}{_END}"
        out.append(f"\n{place}\n" if "\n" in inside.strip() else place)
        held.append(inside.strip("\n"))
    out.append(text[at:])
    return "".join(out)


class _Frame:
    """An open element: its kind, its opening token, and its parts so far, each a list of pieces."""

    __slots__ = ("kind", "opener", "parts")

    def __init__(self, kind: str, opener: str) -> None:
        self.kind = kind
        self.opener = opener
        self.parts: list[list[str]] = [[]]

    def literal(self) -> Iterator[str]:
        """Yield the source text of an element that is never closed."""
        yield self.opener
        for number, part in enumerate(self.parts):
            if number:
                yield "|"
            yield from part


class _Walk:
    """The parser of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack = [_Frame("root", "")]

    def run(self) -> str:
        """Return the text without its brackets."""
        at = 0
        for token in _TOKEN.finditer(self.text):
            if token.start() > at:
                self.say(self.text[at : token.start()])
            at = token.end()
            self.take(token[0])
        self.say(self.text[at:])
        while len(self.stack) > 1:
            self.give_up()
        return "".join(self.stack[0].parts[0])

    def say(self, piece: str) -> None:
        self.stack[-1].parts[-1].append(piece)

    def take(self, token: str) -> None:
        top = self.stack[-1]
        if token == "|":
            if top.kind in ("template", "parameter", "link"):
                top.parts.append([])
            else:
                self.say(token)
        elif token == "\n\n":
            while (top := self.stack[-1]).kind == "link":  # a link ends with its paragraph, unless it is of a file
                if _split_space("".join(top.parts[0][:1])[:100])[0] in _HIDDEN_SPACES:
                    break
                self.give_up()
            self.say(token)
        elif token == "[[":
            self.open("link", token)
        elif token == "]]":
            self.close_link()
        elif token.startswith("{{"):
            self.open_braces(token)
        elif token.startswith("}}"):
            self.close_braces(len(token))
        elif token.endswith("{|"):
            self.open("table", token)
        else:
            self.close_table()

    def open(self, kind: str, opener: str) -> None:
        if len(self.stack) > MAX_DEPTH:
            self.say(opener)
        else:
            self.stack.append(_Frame(kind, opener))

    def open_braces(self, token: str) -> None:
        count = len(token)
        if count > 6:  # seven are not markup
            self.say(token)
            return
        if count % 2:
            self.open("parameter", "{{{")
            count -= 3
        for _ in range(count // 2):
            self.open("template", "{{")

    def close_braces(self, count: int) -> None:
        while count >= 2:
            while self.stack[-1].kind == "link" and any(f.kind in ("template", "parameter") for f in self.stack):
                self.give_up()
            top = self.stack[-1]
            if top.kind == "parameter" and count >= 3:
                self.stack.pop()
                self.say("".join(top.parts[1]) if len(top.parts) > 1 else "")
                count -= 3
            elif top.kind in ("template", "parameter"):
                self.stack.pop()
                self.say(_close_template(top))
                count -= 2
            else:
                self.say("}" * count if top.kind != "table" else "")
                return
        self.say("}" * count)

    def close_link(self) -> None:
        if self.stack[-1].kind == "link":
            self.say(_close_link(self.stack.pop()))
        else:
            self.say("]]")

    def close_table(self) -> None:
        if not any(frame.kind == "table" for frame in self.stack):
            return
        while self.stack[-1].kind != "table":
            self.give_up()
        frame = self.stack.pop()
        self.say(table("".join(frame.parts[0])))

    def give_up(self) -> None:
        frame = self.stack.pop()
        if frame.kind == "table":  # unclosed; its rows are still rows
            self.say(table("".join(frame.parts[0])))
        else:
            self.stack[-1].parts[-1].extend(frame.literal())


def _close_template(frame: _Frame) -> str:
    first, *rest = ("".join(part) for part in frame.parts)
    given: dict[str, str] = {}
    number = 0
    for part in rest:
        named = _NAMED.match(part)
        if named:
            given[named[1].strip()] = part[named.end() :].strip()
        else:
            number += 1
            given[str(number)] = part
    words = expand(first.strip(), given)
    return GAP if words is None or not words.strip(GAP) else words


def _split_space(target: str) -> tuple[str, str]:
    before, colon, behind = target.partition(":")
    return (before.strip().lower(), behind) if colon else ("", target)


def _close_link(frame: _Frame) -> str:
    target = "".join(frame.parts[0]).strip()
    label = "".join(frame.parts[-1]) if len(frame.parts) > 1 else ""
    shown = target.startswith(":")
    space, behind = _split_space(target.removeprefix(":"))
    if not shown and space in _HIDDEN_SPACES:
        return ""
    if not shown and _LANGUAGE.fullmatch(space) and space not in _NO_LANGUAGE:
        return ""
    if label.strip():
        return label
    if len(frame.parts) > 1:  # [[위키백과:정책|]]: the pipe trick, if the wiki did not expand it on saving
        return behind.partition("(")[0].strip() or target
    if target.startswith(("http:", "https:")):
        return ""
    return target.removeprefix(":").strip("/")


def table(text: str) -> str:
    """Return the rows of the table between its brackets as in Markdown, a line each, with CELL for every bar.

    A row without a letter (numbers only) is left out: it means nothing without its labels.
    Spanning cells are written once, at their first position.

    >>> made = table(' class="wikitable"\\n! 이름 !! 높이\\n|-\\n| 한라산 || style="x" | 1,947\\n|-\\n| 1 || 2')
    >>> made.replace(CELL, "|").split("\\n")
    ['', '|이름|높이|', '|---|---|', '|한라산|1,947|', '']
    """
    first, _, rest = text.partition("\n")
    if _FURNITURE.search(first[:500]):
        return ""
    cells = [list(filter(None, map(_clean_cell, row))) for row in _split_rows(rest)]
    rows = [row for row in cells if any(map(_LETTER.search, row))]
    head = next((index for index, row in enumerate(rows) if len(row) > 1), len(rows))
    lines = [row[0] for row in rows[:head]]  # rows of one cell before the first row of several are its caption
    lines += [CELL + CELL.join(row) + CELL for row in rows[head:]]
    if head < len(rows):
        width = max(map(len, rows))
        lines[head] += CELL * (width - len(rows[head]))
        lines.insert(head + 1, CELL + f"{RULE}{CELL}" * width)
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _split_rows(text: str) -> Iterator[list[str]]:
    row: list[list[str]] = []  # cells, each a list of lines
    for line in text.split("\n"):
        begin = line.lstrip()
        if begin.startswith("|-"):
            yield ["\n".join(lines) for lines in row]
            row = []
        elif begin.startswith("|+"):
            yield [begin[2:]]
        elif begin.startswith("|"):
            row += [[cell] for cell in begin[1:].split("||")]
        elif begin.startswith("!"):
            row += [[cell] for cell in _CELLS.split(begin[1:])]
        elif row:
            row[-1].append(line)
    yield ["\n".join(lines) for lines in row]


def _clean_cell(cell: str) -> str:
    """Return the words of a cell on one line, without its attributes (the part before the bar)."""
    before, bar, behind = cell.partition("|")
    words = " ".join(_BREAK.sub(" ", behind if bar and "\n" not in before else cell).split())
    if CELL not in words:
        return words
    inner = (part.strip() for part in words.split(CELL))  # a table in the cell: its cells follow each other
    return CELL.join(part for part in inner if part and part != RULE)


def expand(name: str, parameters: Parameters) -> str | None:
    """Return the words of a template, or None if it carries none.

    >>> expand("llang", {"1": "en", "2": "Seoul"}), expand("lang-ja", {"1": "東京"}), expand("도시 정보", {"1": "x"})
    ('영어: Seoul', '일본어: 東京', None)
    >>> expand("단위변환", {"1": "605.2", "2": "km2"}), expand("윗주", {"1": "漢字", "2": "한자"})
    ('605.2km²', '漢字(한자)')
    """
    known = " ".join(name.replace("_", " ").lower().split())
    if known in SIGNS:
        return SIGNS[known]
    if known.startswith("formatnum:"):
        return name.partition(":")[2].strip()
    if known.startswith("lang-"):
        return _label_language(known[5:], parameters.get("1", ""))
    carrier = _CARRIERS.get(known)
    return carrier(parameters) if carrier else None


def _label_language(code: str, words: str) -> str:
    language = LANGUAGES.get(code.strip().lower(), "")
    words = words.strip()
    return f"{language}: {words}" if language and words else words


def _first_of(*places: str) -> Carrier:
    """Return a function for the first parameter that is not empty."""
    return lambda given: next((given[place] for place in places if given.get(place, "").strip()), "")


def _ruby(given: Parameters) -> str:
    """Return words with their ruby text in brackets: 漢字(한자)."""
    base, above = given.get("1", "").strip(), given.get("2", "").strip()
    return f"{base}({above})" if base and above else base


def _foreign_name(given: Parameters) -> str:
    """Return {{nihongo|도쿄|東京|Tōkyō}} as the words, with the foreign spellings in brackets."""
    first, *others = (given.get(place, "").strip() for place in ("1", "2", "3"))
    inside = ", ".join(filter(None, others))
    return f"{first}({inside})" if first and inside else first or inside


def _chinese(given: Parameters) -> str:
    names = (("t", "정체"), ("s", "간체"), ("c", ""), ("한자", ""), ("정체자", "정체"), ("간체자", "간체"))
    parts = [
        f"{label}: {given[key].strip()}" if label else given[key].strip() for key, label in names if given.get(key)
    ]
    return ", ".join(parts) or _label_language("zh", given.get("1", ""))


def _date(given: Parameters) -> str:
    """Return 2020-01-05, or separate year, month and day, in Korean notation."""
    first = given.get("1", "").strip()
    parts = first.split("-") if first.count("-") == 2 else [given.get(place, "").strip() for place in ("1", "2", "3")]
    if not all(part.isdigit() for part in parts if part) or not parts[0].isdigit():
        return first
    return " ".join(f"{int(part)}{unit}" for part, unit in zip(parts, "년월일", strict=False) if part)


def _measure(given: Parameters) -> str:
    """Return a number with its original unit, without conversions to other units."""
    number, unit = given.get("1", "").strip(), given.get("2", "").strip()
    if not _NUMBER.fullmatch(number) or not _UNIT.fullmatch(unit):
        return number if _NUMBER.fullmatch(number) else ""
    return f"{number}{UNITS.get(unit.lower(), unit)}"


def _value(given: Parameters) -> str:
    number, unit = given.get("1", "").strip(), (given.get("u") or given.get("ul") or "").strip()
    power = f"×10^{given['e'].strip()}" if given.get("e", "").strip() else ""
    return f"{number}{power}{' ' + unit if unit else ''}"


def _quotation(given: Parameters) -> str:
    """Return a quotation as a paragraph, with its source on a line of its own."""
    words = _first_of("1", "text", "인용문", "내용", "글", "quote", "본문")(given).strip()
    by = _first_of("2", "author", "저자", "sign", "출처", "화자")(given).strip()
    by_line = f"\n— {by}" if by and len(by) < 200 else ""
    return f"\n\n{words}{by_line}\n\n" if words else ""


def _block(given: Parameters) -> str:
    words = _first_of("1", "내용", "text")(given)
    return f"\n{words.strip()}\n" if words.strip() else ""


_CARRIERS: dict[str, Carrier] = {
    "llang": lambda given: _label_language(given.get("1", ""), given.get("2", "")),
    "lang": _first_of("2"),
    "zh": _chinese,
    "중국어": _chinese,
    "nihongo": _foreign_name,
    "일본어 표기": _foreign_name,
    "언어링크": _first_of("3", "표시", "2"),  # {{언어링크|en|Title|표시}}: the displayed text, else the foreign title
    "val": _value,
    **dict.fromkeys(
        (
            "ruby", "윗주", "루비", "rubi", "덧말",
        ),
        _ruby,
    ),
    **dict.fromkeys(
        (
            "임시링크", "ill", "llink", "link-interwiki", "interlanguage link", "ill2", "interwiki",
        ),
        _first_of("표시", "display", "lt", "1"),  # the local name of a page that exists only in another wiki
    ),
    **dict.fromkeys(
        (
            "날짜", "date", "시작일", "start date", "출시일", "출생일", "사망일", "종료일", "end date",
        ),
        _date,
    ),
    **dict.fromkeys(
        (
            "단위변환", "convert", "cvt", "단위 변환",
        ),
        _measure,
    ),
    **dict.fromkeys(
        (
            "인용문", "인용", "quote", "cquote", "quotation", "blockquote", "인용구", "인용문2", "인용 상자",
            "대사", "rquote", "bquote",
        ),
        _quotation,
    ),
    **dict.fromkeys(
        (
            "시", "poem", "center", "가운데", "c", "right", "오른쪽", "들여쓰기", "block center", "poemquote",
            "나눔",
        ),
        _block,
    ),
    **dict.fromkeys(
        (
            "nowrap", "줄바꿈 방지", "줄바꿈방지", "nobr", "small", "작게", "작은", "smaller", "big", "크게",
            "large", "larger", "x-larger", "xx-larger", "굵게", "bold", "b", "기울임", "i", "em", "strong",
            "u", "밑줄", "강조", "드러냄표", "위첨자", "아래첨자", "sup", "sub", "abbr", "약자", "tooltip",
            "한자", "한글", "옛한글", "옛한글 처리", "옛한글처리", "ipa", "국제음성기호", "transl", "국기",
            "국기나라", "flag", "flagcountry", "나라", "kbd", "code", "mono", "nobold", "s", "unicode", "uni",
            "polytonic", "script", "sic", "수식", "math", "mvar", "var", "분수", "sc", "작은대문자", "hwe",
            "드래그", "더 큰 글씨", "큰글자", "작은글자", "글자", "nonfree", "nonfree2", "잘림 방지",
        ),
        _first_of("1"),
    ),
    **dict.fromkeys(
        (
            "color", "색", "글자색", "글씨색", "font color", "fontcolor", "글씨 색", "글꼴", "색깔",
        ),
        _first_of("2"),
    ),
}  # fmt: skip
