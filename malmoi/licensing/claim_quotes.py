"""Judge the quotation of a claim: it names the licence, and neither it nor its sentence limits the grant.

A claim is one sentence about a whole source, chosen by a person. So the rules are strict, and whatever they
do not understand is refused: the person quotes another sentence, or leaves each document to a review.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from malmoi.licensing.licence_expressions import ids
from malmoi.licensing.licence_words import NO_DERIVATIVES, NON_COMMERCIAL, fold
from malmoi.licensing.licences import LICENCES
from malmoi.licensing.named_licences import list_named, names_of, shorten

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


def is_limited(licence: str, words: str, text: str) -> bool:
    """Whether each place of `words` in `text` lies in a sentence that limits the grant, or before its exception.

    >>> text = "예전 글은 CC BY 4.0으로 이용할 수 없다. 새 글은 CC BY 4.0을 따른다."
    >>> is_limited("CC-BY-4.0", "CC BY 4.0", text), is_limited("CC-BY-4.0", "글은 CC BY 4.0으로", text)
    (False, True)
    """
    paragraphs = [fold(one) for one in re.split(r"\n[ \t\r]*\n", text)]
    places = list(_list_sentences(fold(words), paragraphs)) or list(_list_sentences(fold(words), [fold(text)]))
    return bool(places) and all(_is_limited(licence, sentence) for sentence in places)


def _list_sentences(words: str, paragraphs: Iterable[str]) -> Iterator[str]:
    for text in paragraphs:
        for found in re.finditer(re.escape(words), text):
            before = _SENTENCE_END.split(text[max(0, found.start() - AROUND) : found.start()])[-1]
            first, *following = _SENTENCE_END.split(text[found.end() : found.end() + AROUND])
            exception = following[0] if following and _EXCEPTION.match(following[0]) else ""
            yield f"{before}{found[0]}{first} {exception}"


def _is_named(licence: str, quote: str) -> bool:
    short, text = shorten(licence), fold(quote)
    named = set(list_named(quote)) - {"MIT"}  # also a university
    called = (pattern for start, pattern in _CALLED.items() if short.startswith(start))
    says = bool(named & names_of(licence)) or any(re.search(one, text, re.I | re.A) for one in called)
    return says and _is_version(licence, text)


def _is_version(licence: str, text: str) -> bool:
    """Whether a quotation that states versions states the one of the licence."""
    short = licence.removeprefix("LicenseRef-")
    rule = next((rule for start, rule in _VERSIONS.items() if short.startswith(start)), None)
    stated = {version for found in (rule.finditer(text) if rule else ()) for version in found.groups() if version}
    return not stated or any(f"-{version}" in licence for version in stated)


def _is_limited(licence: str, sentence: str) -> bool:
    """Whether a sentence has words that limit; those of the conditions of the licence itself do not count."""
    known = LICENCES.get(licence)
    if known is None or known.family in ("non-commercial", "no-derivatives"):
        return False
    text = _HARMLESS.sub("", fold(sentence))
    return any(rule.search(text) for rule in (_LIMITS, NON_COMMERCIAL, NO_DERIVATIVES))
