"""Licence files of a release: LICENSE.md with name, URL and duties of each licence, and full texts if required."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from malmoi.licensing.licences import LICENCES, Licence, ids
from malmoi.publisher import UNNAMED, Publisher

TEXTS = Path(__file__).parent / "texts"  # original texts of licences that require their text to be shipped
_ABOUT = (
    "Each folder below `data/` holds texts of one licence expression. The wording here is ours and short;",
    "what binds is the licence itself. Proof for each document: `audit/licence_evidence.parquet`.",
    "The sentence of attribution for each document: the column `attribution`. This is not legal advice.",
)


def duty(licence: Licence) -> str:
    """Summarise the duties of a licence.

    >>> duty(LICENCES["CC-BY-SA-4.0"])
    'name author, title, address, licence and changes; share adaptations under the same licence'
    >>> duty(LICENCES["CC0-1.0"])
    'nothing; naming the origin is a courtesy'
    """
    parts = []
    if licence.attribution and not licence.note.startswith("name "):
        parts.append("name the origin")
    parts += [licence.note] if licence.attribution and licence.note else []
    parts += ["share adaptations under the same licence"] if licence.share_alike else []
    if parts:
        return "; ".join(parts)
    return "nothing; naming the origin is a courtesy" + (f" ({licence.note})" if licence.note else "")


def files(expressions: Iterable[str], about: Iterable[str] = _ABOUT) -> dict[str, bytes]:
    """Return name → content: LICENSE.md, and below LICENSES/ the full text of each licence that requires it."""
    wanted = sorted(set(expressions))
    found = {"LICENSE.md": page(wanted, about).encode()}
    for licence in sorted({i for expression in wanted for i in ids(expression)}):
        text = TEXTS / f"{licence.removesuffix('-only').removesuffix('-or-later')}.txt"
        if text.exists():
            found[f"LICENSES/{licence}.txt"] = text.read_bytes()
    return found


def release_files(expressions: Iterable[str], publisher: Publisher) -> dict[str, bytes]:
    """Return the licence files of a release, which name whom to ask about them."""
    return files(expressions, (*_ABOUT, publisher.request))


def write(folder: Path, expressions: Iterable[str], publisher: Publisher = UNNAMED) -> None:
    """Write the licence files of a release into its folder."""
    for name, content in release_files(expressions, publisher).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def page(expressions: Iterable[str], about: Iterable[str] = _ABOUT) -> str:
    """Return LICENSE.md: `about` the folder it is in, then every licence with its URL and its duties."""
    lines = ["# Licences", "", *about]
    for expression in sorted(set(expressions)):
        lines += ["", f"## {expression}", ""]
        for id_ in ids(expression):
            found = LICENCES[id_]
            lines += [f"* **{id_}**: {found.name} — <{found.url}>", f"  Asks: {duty(found)}."]
    return "\n".join(lines) + "\n"
