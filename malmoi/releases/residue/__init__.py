"""An independent look for personal data over a finished release: other means than the filter's, counts only.

It reads code points by class, with a state machine over runs of digits and the surroundings of a sign or a word. It has
no rule, table or expression in common with the filter that redacts: a fault of the one is not that of the other.
"""

from malmoi.releases.residue.outcome import KINDS, QUARANTINED, Outcome, outcomes
from malmoi.releases.residue.release_folder import Find, Look, Residue, find_documents, finds_by_row, kinds, look, scan

VERSION = 2  # raise it with any change of what is found: releases say which detector has read them
DETECTOR = f"residue {VERSION}"

__all__ = [
    "DETECTOR",
    "KINDS",
    "QUARANTINED",
    "Find",
    "Look",
    "Outcome",
    "Residue",
    "find_documents",
    "finds_by_row",
    "kinds",
    "look",
    "outcomes",
    "scan",
]  # fmt: skip
