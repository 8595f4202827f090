"""Templates of Korean wikis that carry text, and their text; all others are boilerplate and yield nothing.

Template names are compared in lower case, with spaces and underscores equal. Parameters are already
rendered. The tables follow the documentation of common templates; a template
that a wiki names differently is treated as unknown and loses its text, never gains any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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


def text_of(name: str, parameters: Parameters) -> str | None:
    """Return the words of a template, or None if it carries none.

    >>> text_of("llang", {"1": "en", "2": "Seoul"}), text_of("lang-ja", {"1": "東京"}), text_of("도시 정보", {"1": "x"})
    ('영어: Seoul', '일본어: 東京', None)
    >>> text_of("단위변환", {"1": "605.2", "2": "km2"}), text_of("윗주", {"1": "漢字", "2": "한자"})
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


def _link(given: Parameters) -> str:
    """Return the local name of a page that exists only in another wiki ({{ill}}, {{임시링크}})."""
    return _first_of("표시", "display", "lt", "1")(given)


def _language_link(given: Parameters) -> str:
    """Return the displayed text of {{언어링크|en|Title|표시}}, else the foreign title."""
    return _first_of("3", "표시", "2")(given)


_CARRIERS: dict[str, Carrier] = {
    "llang": lambda given: _label_language(given.get("1", ""), given.get("2", "")),
    "lang": _first_of("2"),
    "zh": _chinese,
    "중국어": _chinese,
    "nihongo": _foreign_name,
    "일본어 표기": _foreign_name,
    "언어링크": _language_link,
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
        _link,
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
