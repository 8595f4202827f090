"""Second, independent detector of personal data for a finished release; it reports counts only.

It classifies code points, and uses a state machine for runs of digits and the context of signs and words. It shares no
rule, table or expression with the filter that redacts, so that both do not have the same faults.
"""

from malmoi.releases.residue.outcome import KINDS, QUARANTINED, Outcome, outcomes
from malmoi.releases.residue.release_folder import (
    DISTINCT,
    Find,
    Look,
    Residue,
    add_up,
    find_documents,
    finds_by_row,
    kinds,
    look,
    look_at_rows,
    look_by_group,
    scan,
)

VERSION = 2  # raise it with any change of detection: releases record the detector that scanned them
DETECTOR = f"residue {VERSION}"

__all__ = [
    "DETECTOR",
    "DISTINCT",
    "KINDS",
    "QUARANTINED",
    "Find",
    "Look",
    "Outcome",
    "Residue",
    "add_up",
    "find_documents",
    "finds_by_row",
    "kinds",
    "look",
    "look_at_rows",
    "look_by_group",
    "outcomes",
    "scan",
]  # fmt: skip
