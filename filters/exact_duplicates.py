"""Drop exact duplicates before the expensive filters: texts equal to a kept one except for white space.

Two sources of one family may give access to one work, such as a statute: their documents have the same label `work`.
They are duplicates whatever their texts, and with equal rights the one whose access needs no key is kept.

Later filters judge all exact copies of a text alike, as far as they read the text. A filter that reads other fields
may judge one copy differently: a document that `quarantine` would drop for its title, author, address or id is left
out of the comparison, so that no copy is dropped in favour of it.
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

VERSION = 6
READS = ("id", "labels")
LIBRARIES = ("ahocorasick_rs", "datasketch", "google-re2", "numpy")


def sketch(doc: Document) -> Mapping[str, Any]:
    """Return the row of the survey of exact copies; a document that is left out gets a digest of its own."""
    row = EXACT.sketch(doc)
    if work := doc.label("work"):
        row = {**row, "digest": _digest("work", work), "surface": int(doc.label("access") == "key"), "date": ""}
    if judge_quarantine(replace(doc, text="", spans=())).outcome == "keep":
        return row
    return {**row, "digest": _digest("id", doc.id)}


def _digest(kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{kind} {name}".encode("utf-8", "surrogatepass")).digest()


# The rules for personal data also decide which documents take part, so their versions are part of the survey's.
SURVEY = replace(EXACT, sketch=sketch, version=EXACT.version * 10_000 + QUARANTINE * 1_000 + PERSONAL_DATA)


def judge(doc: Document, *, survey: Rows) -> Verdict:
    """Read the table of the survey of exact copies; an exact copy has the same letters in the same order."""
    row = survey.get(doc.id)
    if row is None or row["kind"] != "exact":
        return Verdict("keep", "no-exact-copy")
    reason = "same-work" if doc.label("work") else "exact-copy"
    return Verdict("drop", reason, measured=1.0, labels=(("keeper", row["keeper"]),))
