"""Turn the licence claims of a source into evidence that refers to the archived licence file."""

from __future__ import annotations

from collections.abc import Mapping

from crawlers.formats.html.runs import quote
from crawlers.formats.sniffing import sniff
from crawlers.web.addresses import canonical_url, covers
from malmoi.document import LicenceEvidence
from malmoi.errors import SourceError
from malmoi.licensing.licence_words import fold
from malmoi.licensing.quoted_licences import is_limited
from malmoi.licensing.rights_decision import terms
from malmoi.source import FOLDER, AccessPoint, Dump, Folder, Git, Item, LicenceClaim, Source

MAX_BEGINNING = 60  # code points of a text that a message shows


def from_claim(source: Source, item: Item, archived: Mapping[str, str]) -> tuple[LicenceEvidence, ...]:
    """Return the claims of `source` that apply to `item`, as evidence of scope `source`.

    `archived` maps the file or address of a claim to the id of the record that holds it.

    Raises:
        SourceError: the file or page of a claim was not archived, or the licence is not in the table.
    """
    places = [canonical_url(item.url) or item.url] if any(claim.only for claim in source.claim) else []
    if places and isinstance(source.access, Folder):  # a row may name the page that it comes from
        places.append(f"{FOLDER}{source.name}/{item.key}")
    evidence = []
    for claim in source.claim:
        if claim.only and not any(covers(prefix, place) for prefix in claim.only for place in places):
            continue
        where = proof_address(claim)
        check_licence(source, claim)
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
        kind = claim_proof(source.access, claim)
        evidence.append(LicenceEvidence(claim.licence, kind, "source", quote(claim.quote), where, archived[where]))
    return tuple(evidence)


def claim_proof(access: AccessPoint, claim: LicenceClaim) -> str:
    """Return the name of the proof that a claim is, by the access point of its source.

    >>> from malmoi.source import Warc
    >>> file, page = LicenceClaim("MIT", "MIT License", file="LICENSE"), LicenceClaim("MIT", "MIT", url="https://a.kr/")
    >>> [claim_proof(access, file) for access in (Git("https://github.com/a/b"), Dump("https://a.kr/d"), Warc(()))]
    ['project-licence', 'dump-claim', 'licence-file']
    >>> claim_proof(Warc(()), page)
    'dump-claim'
    """
    if isinstance(access, Git):
        return "project-licence"
    return "dump-claim" if isinstance(access, Dump) or claim.url else "licence-file"


def check_licence(source: Source, claim: LicenceClaim) -> None:
    """Raise SourceError if the licence of a claim is not in the table of docs/rights.md."""
    if terms(claim.licence) is None:
        raise SourceError(
            f"{source.name}: the claim names the licence {claim.licence!r}, which docs/rights.md does not list; "
            "correct the id in the source file, or add the licence to malmoi/licensing/licences.py."
        )


def proof_address(claim: LicenceClaim) -> str:
    """Return the name under which the proof of a claim is archived: the file, or the canonical address of the page.

    >>> proof_address(LicenceClaim("MIT", "MIT License", url="https://A.kr/licence#top"))
    'https://a.kr/licence'
    """
    return claim.file or canonical_url(claim.url) or claim.url


def readable_text(body: bytes, media: str, charset: str = "", name: str = "") -> str:
    """Return the visible text of a licence file or page, decoded like any page; HTML loses its tags."""
    from crawlers.encodings.decode import decode

    if sniff(body, media, name) != "html":
        return decode(body, charset).text
    from crawlers.formats.html.html_page import strip_tags  # imports lxml; few licence files need it

    return strip_tags(decode(body, charset, html=True).text)


def check_quote(claim: LicenceClaim, text: str, where: str = "") -> None:
    """Check that the quote of the claim occurs in `text`, the archived file or page; white space is ignored.

    `where` is the place that messages name; by default the file or address of the claim.

    Raises:
        SourceError: the quote is missing in the text, or part of a sentence that limits the grant.

    >>> check_quote(LicenceClaim("MIT", "MIT License", file="LICENSE"), "The  MIT\\nLicense (MIT)")
    """
    where, words, said = where or proof_address(claim), fold(claim.quote), fold(text)
    if words not in said:
        raise SourceError(
            f"{where}: does not say {words[:80]!r}, on which the claim of {claim.licence} rests; its text begins "
            f"{said[:MAX_BEGINNING]!r}. Read it, then correct the claim in the source file or retire the source."
        )
    if is_limited(claim.licence, words, text):
        raise SourceError(
            f"{where}: the sentence around {words[:80]!r} denies or limits what the claim of {claim.licence} says; "
            "read it, then quote the whole sentence that grants the licence, or leave the claim out and let a person "
            "review."
        )
