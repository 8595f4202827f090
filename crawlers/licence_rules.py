"""Check the licence rule of a source: known proofs, and what declares the place of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crawlers.formats.html.runs import quote as shorten_quote
from crawlers.rights.claims import check_licence, claim_proof
from malmoi.errors import CallError
from malmoi.licensing.proofs import PROOFS
from malmoi.licensing.quoted_licences import is_proof
from malmoi.licensing.rights_decision import terms
from malmoi.prefilter import compile_linear
from malmoi.source import CommonCrawl, LicenceRule, Source

NEEDS_SELECTOR = ("kogl-block", "rel-license")  # json-ld may do without: its node says that it is the page
REPLACED = {  # fields of LicenceRule that are gone, and what is written instead
    "place": "proofs, with selector=, fields= or a claim as the place",
    "widest": "proofs: what they do not list permits nothing",
    "review": "proofs of each item, or none: then each document needs a review",
}
_UNEXPECTED = re.compile(r"LicenceRule\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def is_marked(source: Source) -> bool:
    """Whether each document needs a proof of its own: the source declares one, and no claim for all of them."""
    return _proves_items(source.rule) and not source.claim


def _proves_items(rule: LicenceRule) -> bool:
    return any(PROOFS[name].declared != "claim" for name in rule.proofs if name in PROOFS)


def find_replaced_field(error: Exception) -> str:
    """Return the field of an earlier LicenceRule that a source file still passes, else "".

    >>> find_replaced_field(TypeError("LicenceRule.__init__() got an unexpected keyword argument 'widest'"))
    'widest'
    """
    found = _UNEXPECTED.search(str(error)) if isinstance(error, TypeError) else None
    return found[1] if found and found[1] in REPLACED else ""


def check(source: Source, where: object) -> None:
    """Check the rule and the claims of a source; `where` is its file.

    Raises:
        CallError: a proof that does not exist or lacks its place, a claim whose proof is not listed or whose quote does
            not name its licence or denies a use, a selector or an expression that cannot be read, a licence that the
            table does not have.
        SourceError: the licence of a claim is not in the table.
    """
    rule = source.rule
    if unknown := [name for name in rule.proofs if name not in PROOFS]:
        raise CallError(f"{where}: rule.proofs names {unknown[0]!r}; write one of {', '.join(PROOFS)}")
    _check_places(rule, where)
    if source.claim and isinstance(source.access, CommonCrawl):
        raise CallError(
            f"{where}: a claim cannot speak for the pages of an open archive, which are of many publishers; leave out "
            "claim=, each page needs a proof of its own (docs/rights.md, Pages that no source declares)"
        )
    for claim in source.claim:
        check_licence(source, claim)
        if not is_proof(claim.licence, claim_proof(source.access, claim), shorten_quote(claim.quote)):
            raise CallError(
                f"{where}: the quote of the claim does not grant {claim.licence}, because it names no or another "
                f"licence, or denies a use: {claim.quote!r}; quote the sentence that names {claim.licence} and grants "
                "it, or correct the id"
            )
        # Beside proofs of each item a claim may be left out: documents without a proof of their own need a review.
        if (proof := claim_proof(source.access, claim)) not in rule.proofs and not _proves_items(rule):
            raise CallError(
                f"{where}: the claim of {claim.licence} permits nothing, because its rule does not list the proof "
                f"{proof}; write rule=LicenceRule(proofs=({proof!r},), expected=({claim.licence!r},))"
            )
    if strange := [licence for licence in rule.expected if terms(licence) is None]:
        raise CallError(
            f"{where}: rule.expected names the licence {strange[0]!r}, which docs/rights.md does not list; "
            "correct the id"
        )
    _check_expressions("boards", rule.boards, where)
    _check_expressions("author", (rule.author,), where)


def _check_places(rule: LicenceRule, where: object) -> None:
    if "field" in rule.proofs and not rule.fields:
        raise CallError(
            f"{where}: the proof field needs the names of the fields that hold the licence; write fields=('…',) into "
            "its LicenceRule"
        )
    for name in NEEDS_SELECTOR:
        if name in rule.proofs and not rule.selector:
            raise CallError(
                f"{where}: the proof {name} needs the element of the page that holds it; write "
                "selector=(('https://…', '.css-selector'),) into its LicenceRule"
            )
    for entry in rule.selector:
        if len(entry) != 2 or not all(isinstance(part, str) for part in entry):
            raise CallError(
                f"{where}: rule.selector holds {entry!r}; it takes pairs of an address prefix and a CSS selector"
            )
        if why := _find_css_fault(entry[1]):
            raise CallError(f"{where}: rule.selector holds {entry[1]!r}, not a CSS selector ({why}); correct it")


def _find_css_fault(selector: str) -> str:
    from cssselect import HTMLTranslator, SelectorError  # few sources have a selector

    try:
        HTMLTranslator().css_to_xpath(selector)
    except SelectorError as error:
        return str(error)
    return ""


def _check_expressions(field: str, expressions: Sequence[str], where: object) -> None:
    for one in expressions:
        try:
            compile_linear(one)
        except ValueError as error:
            raise CallError(
                f"{where}: rule.{field} holds {one!r}, not a regular expression ({error}); correct it"
            ) from error
