"""Compare a quotation with the licence that it is said to prove: which licences it names, and what limits them.

Broader than malmoi/licensing/licence_words.py: a quotation is a sentence, an address or the name of an image. A claim
is one sentence about a whole source, chosen by a person. So its rules are strict, and whatever they do not understand
is refused: the person quotes another sentence, or leaves each document to a review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from malmoi.licensing.licence_words import NO_DERIVATIVES, NON_COMMERCIAL, fold, kogl_words, licence_from_text
from malmoi.licensing.licences import LICENCES, cc_id, find_licence_id, ids, licence_from_url
from malmoi.licensing.proofs import PROOFS

_KOGL_KINDS = frozenset(("kogl-block", "kogl-link", "kogl-image", "kogl-sentence", "kogl-words"))
_CLAIM_KINDS = frozenset(name for name, proof in PROOFS.items() if proof.declared == "claim")
# Kinds of evidence whose quotation is the name or the address of a licence. Words of other kinds (a template, a
# sentence with a link) may prove a licence without naming it.
_NAMING = _KOGL_KINDS | _CLAIM_KINDS | {"rel-license", "mark-link", "licence-words"}


def is_proof(licence: str, kind: str, quote: str) -> bool:
    """Whether a quotation of this kind of evidence can prove `licence`, or one part of an expression.

    A quotation that names licences names this one; a mark or an address names one, and a claim all parts.

    >>> is_proof("LicenseRef-KOGL-1", "kogl-sentence", "이 자료는 공공누리 제1유형 조건에 따라 이용할 수 있습니다.")
    True
    >>> [is_proof("CC-BY-4.0", "sentence", quote) for quote in ("저작자표시-동일조건변경허락 4.0", "마음껏 쓰세요.")]
    [False, True]
    >>> is_proof("CC-BY-4.0", "rel-license", "https://example.kr/")
    False
    >>> [is_proof(one, "words", "글은 CC BY 4.0, 코드는 Apache 2.0") for one in ("CC-BY-4.0", "Apache-2.0", "MIT")]
    [True, True, False]
    """
    if kind in _CLAIM_KINDS:
        return grants(licence, quote)
    named = set(list_named(quote, is_kogl=kind in _KOGL_KINDS))
    named |= {shorten(licence) for _, licence in read_mentions(fold(quote)) if licence}
    wanted = frozenset[str]().union(*map(names_of, ids(licence)))
    return bool(named & wanted) if named else kind not in _NAMING


# Licences that words name.
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
    for mention in MENTION.finditer(text):
        words = mention[0]
        # Creative Commons Attribution-ShareAlike 4.0 International License
        if long := _LONG.search(words + text[mention.end() :][:AFTER]):
            kind = "by" + "".join(f"-{name}" for name in ("nc", "nd", "sa") if long[name])
            yield mention, cc_id(kind, long["version"], "") if not long["port"] else None
        else:
            yield mention, licence_from_text(words) or licence_from_text(re.sub(r"\s*[(),:]\s*", " ", words))


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


# Claims: the quotation names the licence, and neither it nor its sentence limits the grant.
AROUND = 120  # code points before and after a quotation that may belong to its sentence
# How a licence is called in sentences, beside its id; of licences whose text does not name them, how it begins. The
# beginning of an id is its key. Used for claims: elsewhere "MIT" may be a university.
_CALLED = {
    "Apache": r"\bApache\b|아파치",
    "BSD": r"\bBSD\b|^Redistribution and use in source and binary forms",
    "CC-PDDC": r"public domain",
    "CC-PDM": r"public domain mark|퍼블릭\s?도메인\s?마크",
    "CC0": r"\bCC[ -]?0\b|(?:\bCC|creative commons)[ -]?(?:zero\b|제로)"
    r"|waived all copyright and related or neighbou?ring rights",
    "CDLA": r"\bCDLA[ -]permissive|community data licen[sc]e agreement\W{1,4}permissive",
    "GFDL": r"\bGFDL\b|free documentation licen[sc]e|자유\s?문서\s?(?:사용\s?)?(?:허가서|라이[선센]스)",
    "GPL": r"\bGPL(?:v?[23])?\b|GNU general public licen[sc]e|GNU 일반\s?공중\s?(?:사용\s?)?(?:허가서|라이[선센]스)",
    "ISC": r"\bISC\b|^Permission to use, copy, modify, and(?:/or)? distribute this software",
    "KOGL-Expired": r"만료\s?(?:공공)?저작물",
    "KR-CA-Art24": r"저작권법[^.]{0,20}제\s?24\s?조(?!의)|copyright act,? art(?:icle|\.) 24(?!-)",
    "KR-CA-Art7": r"저작권법[^.]{0,20}제\s?7\s?조(?!의)|copyright act,? art(?:icle|\.) 7\b",
    "KR-OpenData-Unrestricted": r"이용\s?허락\s?(?:범위)?[^.]{0,6}제한\s?없음",
    "KR-PD-expired": r"보호\s?기간[^.]{0,12}(?:만료|끝|경과|지난)|저작(?:재산)?권[^.]{0,12}소멸|만료\s?저작물"
    r"|퍼블릭\s?도메인|public domain",
    "LGPL": r"\bLGPL(?:v?[23])?\b|lesser general public licen[sc]e|약소\s?일반\s?공중",
    "MIT": r"^MIT$|:\s?MIT$|opensource\.org/licen[sc]es?/mit\b"
    r"|\bMIT\b(?! No Attribution).{0,60}(?:licen[sc]|라이[선센]스|허가|허락|따르|따른|따릅)"
    r"|^Permission is hereby granted, free of charge, to any person obtaining a copy",
    "MPL": r"\bMPL\b|mozilla public licen[sc]e|모질라\s?(?:공중|공용|퍼블릭)",
    "ODC-By": r"\bODC[ -]?By\b|open data commons attribution",
    "ODbL": r"\bODbL\b|open database licen[sc]e",
}
_VERSIONS = {  # how a quotation writes the version of a licence, by the beginning of its id
    "CC-BY": re.compile(r"(?<![\d.])([1-4]\.[05])(?![\d.])"),
    "GPL": re.compile(r"GPL[ -]?v?([23])\b|version ([23])\b|제\s?([23])\s?판", re.I | re.A),
}
# Words that deny, limit, date or question what a sentence says, and expressions with such words that do not.
_LIMITS = re.compile(
    r"수\s?없|안\s?[됩됨된돼]|금지|금[하합한]|불가|불허|아니|아닌|아닙|않|못\s?[하합한]|제외|예외|한하여|한해|한정|경우에만|때에만"
    r"|[으]?로만|협의|승인|예정|계획|전환할|년까지|까지는|[였었]으나|[였었]지만|무효|폐지|철회|취소|이란\s|[을를]\s말[하한합]|\?"
    r"|\b(?:not|never|nor|unless|until|unlike|only (?:for|if|with|when)|plans? to|will be|formerly|previously"
    r"|prior (?:written )?(?:permission|consent|approval)|consent|prohibited|forbidden|void|revoked|superseded"
    r"|exclud(?:ed|es|ing))\b",
    re.I | re.A,
)
_HARMLESS = re.compile(
    r"(?:제한|조건|제약|허락|동의|대가|비용)[이도을를]?\s?없|[가는]\s없는\s한|지\s않는\s한"
    r"|보호를?\s?받지\s?(?:않|못)|저작(?:재산)?권[이가은]?\s?[가-힣 ]{0,8}지\s?않|출처를?\s?[가-힣]{1,4}\s?않아도"
    r"|not use th(?:is|ese) \w{1,10} except in compliance|changing it is not allowed|unless [a-z ]{0,40}otherwise"
    r"|not (?:a law firm|limited to|protected|copyrighted|subject to copyright)|whether or not",
    re.I | re.A,
)
_EXCEPTION = re.compile(r"(?:단|다만)[,\s]|However,|Except", re.I)
_SENTENCE_END = re.compile(r"(?<=[.!?。]) ")


def grants(licence: str, quote: str) -> bool:
    """Whether a quotation names `licence`, all parts of an expression, and nothing in it limits the grant.

    >>> [grants("MIT", quote) for quote in ("The MIT License", "모든 권리는", "MIT 라이선스가 아니다", "MIT 연구진")]
    [True, False, False, False]
    """
    return all(_is_named(part, quote) and not _is_limited(part, quote) for part in ids(licence))


def _is_named(licence: str, quote: str) -> bool:
    """Whether a quotation names the licence, and states its version if it states any."""
    short, text = shorten(licence), fold(quote)
    named = set(list_named(quote)) - {"MIT"}  # also a university
    called = (pattern for start, pattern in _CALLED.items() if short.startswith(start))
    if not named & names_of(licence) and not any(re.search(one, text, re.I | re.A) for one in called):
        return False
    whole = licence.removeprefix("LicenseRef-")
    rule = next((rule for start, rule in _VERSIONS.items() if whole.startswith(start)), None)
    stated = {version for match in (rule.finditer(text) if rule else ()) for version in match.groups() if version}
    return not stated or any(f"-{version}" in licence for version in stated)


def is_limited(licence: str, words: str, text: str) -> bool:
    """Whether each place of `words` in `text` lies in a sentence that limits the grant, or before its exception.

    >>> text = "예전 글은 CC BY 4.0으로 이용할 수 없다. 새 글은 CC BY 4.0을 따른다."
    >>> is_limited("CC-BY-4.0", "CC BY 4.0", text), is_limited("CC-BY-4.0", "글은 CC BY 4.0으로", text)
    (False, True)
    """
    paragraphs = [fold(one) for one in re.split(r"\n[ \t\r]*\n", text)]
    words = fold(words)
    places = [place for one in paragraphs for place in _list_sentences(words, one)]
    places = places or list(_list_sentences(words, fold(text)))
    return bool(places) and all(_is_limited(licence, sentence) for sentence in places)


def _list_sentences(words: str, text: str) -> Iterator[str]:
    for match in re.finditer(re.escape(words), text):
        before = _SENTENCE_END.split(text[max(0, match.start() - AROUND) : match.start()])[-1]
        first, *following = _SENTENCE_END.split(text[match.end() : match.end() + AROUND])
        exception = following[0] if following and _EXCEPTION.match(following[0]) else ""
        yield f"{before}{match[0]}{first} {exception}"


def _is_limited(licence: str, sentence: str) -> bool:
    """Whether a sentence has words that limit; those of the conditions of the licence itself do not count."""
    known = LICENCES.get(licence)
    if known is None or known.family in ("non-commercial", "no-derivatives"):
        return False
    text = _HARMLESS.sub("", fold(sentence))
    return any(rule.search(text) for rule in (_LIMITS, NON_COMMERCIAL, NO_DERIVATIVES))
