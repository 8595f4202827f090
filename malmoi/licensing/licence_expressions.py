"""Parse licence expressions: ids, licence family, folder name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from malmoi.licensing.licences import LICENCES

# Freest first; docs/rights.md.
FAMILIES = ("open", "share-alike", "copyleft", "ai-training", "non-commercial", "no-derivatives", "review")
_ID = re.compile(r"[A-Za-z0-9.+-]+")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+ -]*")


def ids(expression: str) -> tuple[str, ...]:
    """Return the licence ids in an expression, in order.

    >>> ids("CC-BY-SA-4.0 OR GFDL-1.3-or-later")
    ('CC-BY-SA-4.0', 'GFDL-1.3-or-later')
    """
    return tuple(w for w in _ID.findall(expression) if w not in ("AND", "OR", "WITH"))


def family(expression: str) -> str:
    """Return the family, and so the configuration, of `expression`: the freest of a choice, else the strictest.

    >>> family("CC-BY-SA-4.0"), family("MIT OR GPL-2.0-only"), family("MIT AND MPL-2.0")
    ('share-alike', 'open', 'copyleft')
    """
    found = sorted((LICENCES[id_].family for id_ in ids(expression)), key=FAMILIES.index)
    return found[0] if " OR " in expression and " AND " not in expression else found[-1]


def default_family(documents: Mapping[str, int]) -> str | None:
    """Return the family of a reader who names none: `open`, or else the one with the most documents, by family.

    >>> default_family({"copyleft": 9, "open": 1}), default_family({"share-alike": 2, "copyleft": 2})
    ('open', 'copyleft')
    """
    return min(documents, key=lambda name: (name != "open", -documents[name], name), default=None)


def folder_name(expression: str) -> str:
    """Return a folder name for a licence expression; different expressions have different names.

    >>> folder_name("(MIT OR ISC) AND CC0-1.0").startswith("MIT_OR_ISC_AND_CC0-1.0-")
    True
    """
    if _PLAIN.fullmatch(expression):
        return expression.replace(" ", "_")
    plain = re.sub(r"[^A-Za-z0-9.+-]+", "_", expression).strip("._-") or "licence"
    return f"{plain}-{hashlib.sha256(expression.encode()).hexdigest()[:8]}"
