"""Read which licences a quotation names, to compare them with the licence that the quotation is said to prove.

Broader than malmoi/licensing/licence_words.py: a quotation is a sentence, an address or the name of an image, and the
question is not what it grants but whether it speaks of the same licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from malmoi.licensing.licence_words import NO_DERIVATIVES, NON_COMMERCIAL, fold, kogl_words, licence_from_text
from malmoi.licensing.licences import LICENCES, find_licence_id, licence_from_url
from malmoi.licensing.proofs import PROOFS

_KOGL_KINDS = frozenset(("kogl-block", "kogl-link", "kogl-image", "kogl-sentence", "kogl-words"))
_CLAIM_KINDS = frozenset(name for name, proof in PROOFS.items() if proof.declared == "claim")
# Kinds of evidence whose quotation is the name or the address of a licence. Words of other kinds (a template, a
# sentence with a link) may prove a licence without naming it.
_NAMING = _KOGL_KINDS | _CLAIM_KINDS | {"rel-license", "mark-link", "licence-words"}
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
# How a licence is called in sentences, beside its id; of licences whose text does not name them, how it begins. The
# beginning of an id is its key. Used for claims: elsewhere "MIT" may be a university.
_CALLED = {
    "Apache": r"\bApache\b|아파치",
    "BSD": r"\bBSD\b|^Redistribution and use in source and binary forms",
    "CC-PDDC": r"public domain",
    "CC-PDM": r"public domain mark|퍼블릭\s?도메인\s?마크",
    "CC0": r"\bCC[ -]?0\b|\bCC[ -]?zero\b|creative commons zero|CC\s?제로",
    "CDLA": r"\bCDLA\b|community data licen[sc]e",
    "GFDL": r"\bGFDL\b|free documentation licen[sc]e|자유\s?문서\s?(?:사용\s?)?(?:허가서|라이[선센]스)",
    "GPL": r"\bGPL(?:v?[23])?\b|GNU (?:general public licen[sc]e|일반\s?공중\s?(?:사용\s?)?(?:허가서|라이[선센]스))",
    "ISC": r"\bISC\b|^Permission to use, copy, modify, and(?:/or)? distribute this software",
    "KOGL-Expired": r"만료\s?(?:공공)?저작물",
    "KR-CA-Art24": r"저작권법[^.]{0,20}제\s?24\s?조(?!의)|copyright act,? art(?:icle|\.) 24(?!-)",
    "KR-CA-Art7": r"저작권법[^.]{0,20}제\s?7\s?조(?!의)|copyright act,? art(?:icle|\.) 7\b",
    "KR-OpenData-Unrestricted": r"이용\s?허락\s?(?:범위)?[^.]{0,6}제한\s?없음",
    "KR-PD-expired": r"보호\s?기간[^.]{0,12}(?:만료|끝|경과|지난)|만료\s?저작물|퍼블릭\s?도메인|public domain",
    "LGPL": r"\bLGPL(?:v?[23])?\b|lesser general public licen[sc]e|약소\s?일반\s?공중",
    "MIT": r"\bMIT\b|^Permission is hereby granted, free of charge, to any person obtaining a copy",
    "MPL": r"\bMPL\b|mozilla public licen[sc]e|모질라\s?(?:공중|공용|퍼블릭)",
    "ODC-By": r"\bODC[ -]?By\b|open data commons attribution",
    "ODbL": r"\bODbL\b|open database licen[sc]e",
}
_VERSIONS = {  # how a quotation writes the version of a licence, by the beginning of its id
    "CC-BY": re.compile(r"(?<![\d.])([1-4]\.[05])(?![\d.])"),
    "GPL": re.compile(r"GPL[ -]?v?([23])\b|version ([23])\b|제\s?([23])\s?판", re.I | re.A),
}
_DENIAL = re.compile(
    r"(?:이용|사용|복제|배포|전재|게재|활용)[^.,]{0,12}(?:수\s?없|금지|금한|금합|불가|안\s?됩|안\s?된)"
    r"|(?:적용|해당|제공|허락|허용)[^.,]{0,4}지\s?(?:않|아니)|(?:이|가|은|는)\s?아니(?:다|며|고|므로|라)|(?:이|가|은|는)?\s?아닙니다"
    r"|\b(?:not|nor|never|no longer)\b[^.,;]{0,20}\b(?:licen[sc]ed|available|covered|released|apply|applies|under)\b",
    re.I,
)

_SENTENCE_END = re.compile(r"[.!?] ")
AROUND = 40  # code points before and after a quotation


def is_proof(licence: str, kind: str, quote: str) -> bool:
    """Whether a quotation of this kind of evidence can prove `licence`, or one part of an expression.

    A quotation that names licences names this one; a mark or an address names one.

    >>> is_proof("LicenseRef-KOGL-1", "kogl-sentence", "이 자료는 공공누리 제1유형 조건에 따라 이용할 수 있습니다.")
    True
    >>> [is_proof("CC-BY-4.0", "sentence", quote) for quote in ("저작자표시-동일조건변경허락 4.0", "마음껏 쓰세요.")]
    [False, True]
    >>> [is_proof("MIT", "licence-file", quote) for quote in ("The MIT License", "모든 권리는", "MIT가 아니다")]
    [True, False, False]
    >>> is_proof("CC-BY-4.0", "rel-license", "https://example.kr/")
    False
    """
    named = set(_list_named(quote, kind in _KOGL_KINDS))
    parts = [part for part in re.split(r"[\s()]+", licence) if part not in ("", "OR", "AND", "WITH")]
    wanted = {_shorten(part) for part in parts}
    wanted |= {part.removesuffix("-AI") for part in wanted} | ({"KOGL-AI"} if licence.endswith("-AI") else set())
    if kind in _CLAIM_KINDS:
        says = bool(named & wanted or _is_called(wanted, quote)) and all(_is_version(part, quote) for part in parts)
        return says and not any(_denies(part, quote) for part in parts)
    return bool(named & wanted) if named else kind not in _NAMING


def is_denied(words: str, text: str) -> bool:
    """Whether each place of `words` in `text` lies in a sentence that denies a use: within 40 code points around it.

    Conditions (상업적 이용금지) are no denial: a page of terms lists those of several licences side by side.

    >>> text = "예전 글은 CC BY 4.0으로 이용할 수 없다. 새 글은 CC BY 4.0을 따른다."
    >>> is_denied("CC BY 4.0", text), is_denied("글은 CC BY 4.0으로", text)
    (False, True)
    """
    words, text = fold(words), fold(text)
    places = [match.start() for match in re.finditer(re.escape(words), text)]
    return bool(places) and all(map(_DENIAL.search, (_read_sentence(text, at, len(words)) for at in places)))


def _read_sentence(text: str, at: int, length: int) -> str:
    before = _SENTENCE_END.split(text[max(0, at - AROUND) : at])[-1]
    after = _SENTENCE_END.split(text[at + length : at + length + AROUND])[0]
    return NO_DERIVATIVES.sub("", NON_COMMERCIAL.sub("", before + text[at : at + length] + after))


def _is_called(wanted: Iterable[str], quote: str) -> bool:
    names = (pattern for short in wanted for start, pattern in _CALLED.items() if short.startswith(start))
    return any(re.search(pattern, fold(quote), re.I | re.A) for pattern in names)  # a word ends before Hangul


def _is_version(licence: str, quote: str) -> bool:
    """Whether a quotation that states versions states the one of the licence."""
    short = licence.removeprefix("LicenseRef-")
    rule = next((rule for start, rule in _VERSIONS.items() if short.startswith(start)), None)
    stated = {
        version for found in (rule.finditer(fold(quote)) if rule else ()) for version in found.groups() if version
    }
    return not stated or any(f"-{version}" in licence for version in stated)


def _denies(licence: str, quote: str) -> bool:
    """Whether words deny a use that the licence allows; conditions of KOGL and Creative Commons are no denial."""
    known = LICENCES.get(licence)
    if known is None or known.family in ("non-commercial", "no-derivatives"):
        return False
    return any(rule.search(fold(quote)) for rule in (_DENIAL, NON_COMMERCIAL, NO_DERIVATIVES))


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
