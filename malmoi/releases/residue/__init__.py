"""Second, independent detector of personal data for a finished release; it reports counts only.

It classifies code points, and uses a state machine for runs of digits and the context of signs and words. It shares no
rule, table or expression with the filter that redacts, so that both do not have the same faults.
"""

from malmoi.releases.residue.code_points import Span
from malmoi.releases.residue.outcome import KINDS, QUARANTINED, Outcome, outcomes
from malmoi.releases.residue.release_folder import (
    DISTINCT,
    Find,
    Located,
    Look,
    Residue,
    add_up,
    find_documents,
    find_spans,
    finds_by_row,
    kinds,
    locate,
    look,
    look_at_rows,
    look_by_group,
    scan,
)
from malmoi.releases.residue.shapes import SHAPES

VERSION = 3  # raise it with any change of detection: releases record the detector that scanned them
DETECTOR = f"residue {VERSION}"

__all__ = [
    "DETECTOR",
    "DISTINCT",
    "KINDS",
    "QUARANTINED",
    "SHAPES",
    "Find",
    "Located",
    "Look",
    "Outcome",
    "Residue",
    "Span",
    "add_up",
    "find_documents",
    "find_spans",
    "finds_by_row",
    "kinds",
    "locate",
    "look",
    "look_at_rows",
    "look_by_group",
    "outcomes",
    "scan",
]  # fmt: skip
