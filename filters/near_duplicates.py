"""Drop near-duplicates: texts whose shingles are nearly those of a kept document (the keeper)."""

from __future__ import annotations

from filters.duplicates.duplicate_survey import SURVEY as SURVEY
from malmoi.document import Document, Verdict
from malmoi.survey import Rows

VERSION = 5
READS = ("id",)
LIBRARIES = ("datasketch", "numpy")


def judge(doc: Document, *, survey: Rows) -> Verdict:
    """Read the table of the survey of copies; `measured` is the Jaccard similarity of the shingles to the keeper's.

    If the signatures decided the pair, it is their estimate, else exact. The threshold and the releases to compare
    with are parameters of the survey (`threshold`, default 0.8; `earlier`, default `same`), so the recipe sets them
    with this filter; texts under 300 letters and digits must agree at 0.9. The keeper may be a document of an earlier
    release.
    """
    row = survey.get(doc.id)
    if row is None:
        return Verdict("keep", "no-near-copy")
    keeper = (("keeper", str(row["keeper"])),)
    return Verdict("drop", f"{row['kind']}-copy", measured=float(row["similarity"]), labels=keeper)
