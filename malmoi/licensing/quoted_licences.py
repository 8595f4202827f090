"""Compare a quotation with the licence that it is said to prove."""

from __future__ import annotations

from malmoi.licensing.claim_quotes import grants
from malmoi.licensing.licence_expressions import ids
from malmoi.licensing.licence_words import fold
from malmoi.licensing.named_licences import list_named, names_of, read_mentions, shorten
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
