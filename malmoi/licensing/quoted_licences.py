"""Read which licences a quotation names, to compare them with the licence that the quotation is said to prove.

Broader than malmoi/licensing/licence_words.py: a quotation is a sentence, an address or the name of an image, and the
question is not what it grants but whether it speaks of the same licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from malmoi.licensing.licence_words import fold, kogl_words, licence_from_text
from malmoi.licensing.licences import LICENCES, find_licence_id, licence_from_url

_KOGL_KINDS = frozenset(("kogl-block", "kogl-link", "kogl-image", "kogl-sentence", "kogl-words"))
# Kinds of evidence whose quotation is the name or the address of a licence. Words of other kinds (a claim, a template,
# a sentence with a link) may prove a licence without naming it.
_NAMING = _KOGL_KINDS | {"rel-license", "mark-link", "licence-words"}
_KOGL = re.compile(r"공공누리|공고누리|KOGL|[0-9]\s?유형|AI\s?유형|img_open|공공저작물\s?자유이용", re.I)
_IMAGE = re.compile(r"img_open(?:code|type)_?0{0,2}([1-9]|ai)", re.I)
_CC = re.compile(
    r"\bCC[ -]?BY\b|(?:\bCCL?\b|creative\s?commons|크리에이티브).*(?:\bBY\b|attribution|저작자)|저작자\s?표시", re.I
)
_CONDITIONS = (
    ("NC", re.compile(r"비\s?영리|non-?\s?commercial|\bNC\b", re.I)),
    ("ND", re.compile(r"변경\s?금지|no-?\s?deriv|\bND\b", re.I)),
    ("SA", re.compile(r"동일\s?조건|share.?alik|\bSA\b", re.I)),
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*[A-Za-z0-9]")


def is_proof(licence: str, kind: str, quote: str) -> bool:
    """Whether a quotation of this kind of evidence can prove `licence`, or one part of an expression.

    A quotation that names licences names this one; a mark or an address names one.

    >>> is_proof("LicenseRef-KOGL-1", "kogl-sentence", "이 자료는 공공누리 제1유형 조건에 따라 이용할 수 있습니다.")
    True
    >>> [is_proof("CC-BY-4.0", "sentence", quote) for quote in ("저작자표시-동일조건변경허락 4.0", "마음껏 쓰세요.")]
    [False, True]
    >>> is_proof("CC-BY-4.0", "rel-license", "https://example.kr/")
    False
    """
    named = set(_list_named(quote, kind in _KOGL_KINDS))
    wanted = {_shorten(part) for part in re.split(r"[\s()]+", licence) if part not in ("", "OR", "AND", "WITH")}
    wanted |= {part.removesuffix("-AI") for part in wanted} | ({"KOGL-AI"} if licence.endswith("-AI") else set())
    return bool(named & wanted) if named else kind not in _NAMING


def _list_named(quote: str, is_kogl: bool) -> Iterator[str]:
    """Yield the short names of the licences that a quotation names; `is_kogl`: its bare conditions mean a KOGL type."""
    text = fold(quote)
    words = [text, *_WORD.findall(text)]
    found = [licence_from_text(text), *map(find_licence_id, words), *map(licence_from_url, text.split())]
    yield from (_shorten(part) for one in found if one for part in one.split() if part not in ("OR", "AND"))
    if is_kogl or _KOGL.search(text):
        kogl = kogl_words(text)
        yield from (f"KOGL-{number}" for number in kogl.types)
        yield from ("KOGL-AI",) if kogl.ai else ()
        yield from (f"KOGL-{number.upper()}" for number in _IMAGE.findall(text))
    if _CC.search(text):
        yield "-".join(("CC-BY", *(short for short, words_of in _CONDITIONS if words_of.search(text))))


def _shorten(licence: str) -> str:
    """Return the id without version and jurisdiction for Creative Commons, and without its prefix for others.

    >>> _shorten("CC-BY-NC-SA-3.0-IGO"), _shorten("LicenseRef-KOGL-1-AI"), _shorten("MIT")
    ('CC-BY-NC-SA', 'KOGL-1-AI', 'MIT')
    """
    short = licence.removeprefix("LicenseRef-")
    known = LICENCES.get(licence)
    if known is not None and known.url.startswith("https://creativecommons.org/licenses/by"):
        conditions = {part for part in short.upper().split("-") if part in ("NC", "ND", "SA")}
        return "-".join(("CC-BY", *(name for name, _ in _CONDITIONS if name in conditions)))
    return short
