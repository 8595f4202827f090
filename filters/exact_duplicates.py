"""Drop exact copies before the dear filters: texts that are equal but for white space to one that is kept.

What the filters behind it say of a text they say of its exact copies as well. What they say of what stands beside
a text they may say of one copy alone: a document that `quarantine` would drop for its title, author, address or id
takes no part, so that no copy is dropped for its sake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from filters.duplicates.duplicate_survey import EXACT
from filters.personal_data import VERSION as PERSONAL_DATA
from filters.quarantine import VERSION as QUARANTINE
from filters.quarantine import judge as judge_quarantine
from malmoi.document import Document, Verdict
from malmoi.survey import Rows

VERSION = 5
READS = ("id",)
LIBRARIES = ("datasketch", "google-re2", "numpy")


def sketch(doc: Document) -> Mapping[str, Any]:
    """The row of the survey of exact copies; that of a document which takes no part has a digest of its own."""
    row = EXACT.sketch(doc)
    if judge_quarantine(replace(doc, text="", spans=())).outcome == "keep":
        return row
    return {**row, "digest": hashlib.sha256(b"id " + doc.id.encode("utf-8", "surrogatepass")).digest()}


# Who takes part depends on the rules for personal data too, so their versions are part of that of the survey.
SURVEY = replace(EXACT, sketch=sketch, version=EXACT.version * 10_000 + QUARANTINE * 1_000 + PERSONAL_DATA)


def judge(doc: Document, *, survey: Rows) -> Verdict:
    """Read the table of the survey of exact copies; an exact copy has the same letters in the same order."""
    row = survey.get(doc.id)
    if row is None or row["kind"] != "exact":
        return Verdict("keep", "no-exact-copy")
    return Verdict("drop", "exact-copy", measured=1.0, labels=(("keeper", row["keeper"]),))
