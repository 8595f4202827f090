"""The closed list of proofs: only evidence of these kinds permits a use. Standard library only.

Everything else that names a licence (a link, an image, a sentence elsewhere on the page) is a candidate: it can
contradict a proof, and without one it leads to a review by a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Declared = Literal["selector", "fields", "claim", "address"]


@dataclass(frozen=True, slots=True)
class Proof:
    """One kind of proof: its name, its exact shape, its place, and what of a source declares that place."""

    name: str
    shape: str
    place: str
    declared: Declared


PROOFS = {
    one.name: one
    for one in (
        Proof(
            "field",
            "the value of a field is the name or the address of one licence, and nothing else",
            "a field of an interface, a column, a labelled cell or a key of front matter, named by the source",
            "fields",
        ),
        Proof(
            "kogl-block",
            "at least two facts of different kinds name the same type: a typed link to kogl.or.kr, an image opentypeN, "
            "a whole sentence of the templates of the Korea Open Government Licence",
            "the only such block at the selector of the source",
            "selector",
        ),
        Proof(
            "rel-license",
            "a link with rel=license to the address of one licence; at a declared selector, rel may be missing",
            "the element of the page that the selector of the source names",
            "selector",
        ),
        Proof(
            "json-ld",
            "the property license of the JSON-LD node that is the page",
            "a script of the page, or the one that the selector of the source names",
            "selector",
        ),
        Proof(
            "licence-file",
            "the words of the claim occur in the archived licence file of a folder or an archive",
            "the file that the claim names",
            "claim",
        ),
        Proof(
            "dump-claim",
            "the words of the claim occur in the archived page of the publisher",
            "the page that the claim names",
            "claim",
        ),
        Proof(
            "project-licence",
            "the words of the claim occur in the archived licence file of a repository",
            "the file that the claim names, for the folders that the claim names",
            "claim",
        ),
        Proof(
            "statute",
            "host and address, and the shape of the text: articles, a judgment, a sitting; an expired term with dates",
            "the register that publishes it",
            "address",
        ),
    )
}
REVIEW = "review"  # kind of evidence that is the decision of a person
OPEN_WEB = ("rel-license", "json-ld", "kogl-block")  # need no selector, and count only if the recipe trusts them
WEB = "web:"  # prefix of these kinds on a page that no source declares: web:rel-license
CANDIDATES = ("link", "image", "sentence", "metadata", "words", "cell", "claim")  # kinds that never permit a use


def is_proof(kind: str) -> bool:
    """Whether evidence of this kind permits a use.

    >>> is_proof("field"), is_proof("review"), is_proof("link"), is_proof("web:rel-license")
    (True, True, False, False)
    """
    return kind in PROOFS or kind == REVIEW


def find_trusted(kind: str, trust: Sequence[str]) -> str:
    """Return the proof that a kind of the open web counts as, "" if the recipe does not trust it.

    >>> find_trusted("web:json-ld", ("json-ld",)), find_trusted("web:json-ld", ()), find_trusted("link", ("link",))
    ('json-ld', '', '')
    """
    name = kind.removeprefix(WEB)
    return name if kind.startswith(WEB) and name in trust else ""
