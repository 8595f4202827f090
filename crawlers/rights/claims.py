"""Turn what a source claims about itself into evidence, resting on the licence file that was archived with it."""

from __future__ import annotations

from collections.abc import Mapping

from crawlers.rights.place import quote
from malmoi.document import LicenceEvidence
from malmoi.errors import SourceError
from malmoi.licence_words import fold
from malmoi.rights import terms
from malmoi.source import Item, LicenceClaim, Source


def from_claim(source: Source, item: Item, archived: Mapping[str, str]) -> tuple[LicenceEvidence, ...]:
    """The claims of `source` that are about `item`, as evidence of scope `source`.

    `archived` maps the file or address of a claim to the id of the record that holds it.

    Raises:
        SourceError: a claim rests on nothing that was archived, or names a licence that the table does not have.
    """
    about = [c for c in source.claim if not c.only or item.url.startswith(c.only)]
    return tuple(_evidence(source, claim, archived) for claim in about)


def _evidence(source: Source, claim: LicenceClaim, archived: Mapping[str, str]) -> LicenceEvidence:
    where = claim.file or claim.url
    if terms(claim.licence) is None:
        raise SourceError(
            f"{source.name}: the claim names the licence {claim.licence!r}, which docs/rights.md does not list; "
            "correct the id in the source file, or add the licence to malmoi/licences.py."
        )
    if not where:
        raise SourceError(
            f"{source.name}: the claim of {claim.licence} names neither a file nor a page that says so; "
            "add file=… or url=… to the LicenceClaim."
        )
    if where not in archived:
        raise SourceError(
            f"{source.name}: {where}, on which the claim of {claim.licence} rests, was not archived; "
            "collect the source again, and correct file or url of the LicenceClaim if it is no longer there."
        )
    return LicenceEvidence(claim.licence, "claim", "source", quote(claim.quote), where, archived[where])


def check_quote(claim: LicenceClaim, text: str) -> None:
    """See that the words of the claim stand in `text`, the archived file or page; white space does not count.

    Raises:
        SourceError: the words are not there, or the claim quotes nothing.

    >>> check_quote(LicenceClaim("MIT", "MIT License", file="LICENSE"), "The  MIT\\nLicense (MIT)")
    """
    where, words = claim.file or claim.url, fold(claim.quote)
    if not words:
        raise SourceError(f"{where}: the claim of {claim.licence} quotes nothing; copy the sentence that grants it.")
    if words not in fold(text):
        raise SourceError(
            f"{where}: no longer says {words[:80]!r}, on which the claim of {claim.licence} rests; "
            "read it, then correct the claim in the source file or retire the source."
        )
