"""Read which licences a quotation names.

Broader than malmoi/licensing/licence_words.py: a quotation is a sentence, an address or the name of an image, and the
question is not what it grants but which licences it speaks of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from malmoi.licensing.licence_words import fold, kogl_words, licence_from_text
from malmoi.licensing.licences import LICENCES, cc_id, find_licence_id, licence_from_url

_KOGL = re.compile(r"공공누리|공고누리|KOGL|[0-9]\s?유형|AI\s?유형|img_open|공공저작물\s?자유이용", re.I)
_IMAGE = re.compile(r"img_open(?:code|type)_?0{0,2}([1-9]|ai)", re.I)
_CC = re.compile(
    r"\bCC[ -]?BY\b|(?:\bCCL?\b|creative\s?commons|크리에이티브).*(?:\bBY\b|attribution|저작자)|저작자\s?표시"
    r"|\battribution(?:-[a-z]+)* [1-4]\.[05]\b",  # the titles of the legal codes do not say Creative Commons
    re.I | re.A,
)
_CONDITIONS = (
    ("NC", re.compile(r"비\s?영리|non-?\s?commercial|\bNC\b", re.I | re.A)),
    ("ND", re.compile(r"변경\s?금지|no-?\s?deriv|\bND\b", re.I | re.A)),
    ("SA", re.compile(r"동일\s?조건|share.?alik|\bSA\b", re.I | re.A)),
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*[A-Za-z0-9]")
# A licence in a sentence, with all that is needed to know which one it is.
MENTION = re.compile(
    r"(?:CC[ -]?BY(?:[ -]?(?:NC|ND|SA)){0,2}|creative ?commons|크리에이티브 ?커먼[즈스]|저작자 ?표시)"
    r"[ -]?(?:BY(?:[ -]?(?:NC|ND|SA)){0,2})?[\w ,:()-]{0,60}?"
    r"[1-4]\.[05](?:[ -](?:KR|IGO|International|Unported|국제|대한민국)\b)?"
    r"|\bCC0(?:[ -]1\.0)?|\bGFDL\b|\bMIT(?= licen[cs]e| 라이[선센]스)"
    r"|\b(?:Apache|L?GPL)[ -]?(?:License,? ?)?(?:v|version )?[23](?:\.[01])?\+?",
    re.I,
)
AFTER = 20  # code points behind a mention that may say which licence it is: 4.0 International License
_LONG = re.compile(
    r"attribution(?P<nc>[ -]non-?commercial)?(?P<nd>[ -]no-?deriv(?:ative)?s?(?: works)?)?(?P<sa>[ -]share-?alike)?"
    r" (?P<version>[1-4]\.[05])(?P<port> (?!(?:International|Unported|Generic|Public|Licen[cs]e)\b)(?-i:[A-Z])[a-z])?",
    re.I,
)


def list_named(quote: str, *, is_kogl: bool = False) -> Iterator[str]:
    """Yield the short names of the licences that a quotation names; `is_kogl`: its bare conditions mean a KOGL type."""
    text = fold(quote)
    words = [text, *_WORD.findall(text)]
    found = [licence_from_text(text), *map(find_licence_id, words), *map(licence_from_url, text.split())]
    yield from (shorten(part) for one in found if one for part in one.split() if part not in ("OR", "AND"))
    if is_kogl or _KOGL.search(text):
        kogl = kogl_words(text)
        yield from (f"KOGL-{number}" for number in kogl.types)
        yield from ("KOGL-AI",) if kogl.ai else ()
        yield from (f"KOGL-{number.upper()}" for number in _IMAGE.findall(text))
    if _CC.search(text):
        yield "-".join(("CC-BY", *(short for short, words_of in _CONDITIONS if words_of.search(text))))


def read_mentions(text: str) -> Iterator[tuple[re.Match[str], str | None]]:
    """Yield each licence that a sentence mentions, with its id; None if the table does not have it.

    >>> [licence for _, licence in read_mentions("글은 CC BY 4.0, 코드는 Apache License 2.0을 따릅니다.")]
    ['CC-BY-4.0', 'Apache-2.0']
    >>> [licence for _, licence in read_mentions("CC BY 라이선스, 저작자표시. Creative Commons Attribution 4.0")]
    ['CC-BY-4.0']
    """
    for found in MENTION.finditer(text):
        yield found, _read_mention(found[0], text[found.end() :][:AFTER])


def _read_mention(words: str, after: str) -> str | None:
    if long := _LONG.search(words + after):  # Creative Commons Attribution-ShareAlike 4.0 International License
        kind = "by" + "".join(f"-{name}" for name in ("nc", "nd", "sa") if long[name])
        return cc_id(kind, long["version"], "") if not long["port"] else None
    return licence_from_text(words) or licence_from_text(re.sub(r"\s*[(),:]\s*", " ", words))


def names_of(licence: str) -> frozenset[str]:
    """Return the short names by which words may name one licence; a type with AI is also named by either part.

    >>> sorted(names_of("LicenseRef-KOGL-1-AI")), sorted(names_of("CC-BY-4.0"))
    (['KOGL-1', 'KOGL-1-AI', 'KOGL-AI'], ['CC-BY'])
    """
    short = shorten(licence)
    return frozenset((short, short.removesuffix("-AI"), *(("KOGL-AI",) if short.endswith("-AI") else ())))


def shorten(licence: str) -> str:
    """Return the id without version and jurisdiction for Creative Commons, and without its prefix for others.

    >>> shorten("CC-BY-NC-SA-3.0-IGO"), shorten("LicenseRef-KOGL-1-AI"), shorten("MIT")
    ('CC-BY-NC-SA', 'KOGL-1-AI', 'MIT')
    """
    short = licence.removeprefix("LicenseRef-")
    known = LICENCES.get(licence)
    if known is not None and known.url.startswith("https://creativecommons.org/licenses/by"):
        conditions = {part for part in short.upper().split("-") if part in ("NC", "ND", "SA")}
        return "-".join(("CC-BY", *(name for name, _ in _CONDITIONS if name in conditions)))
    return short
