"""Drop exact copies: texts that are equal but for white space to one that is kept."""

from __future__ import annotations

from filters.duplicates.duplicate_survey import SURVEY as SURVEY
from malmoi.document import Document, Verdict
from malmoi.survey import Rows

VERSION = 4
READS = ("id",)
LIBRARIES = ("datasketch", "numpy")  # those of the survey, which both filters read
SURVEY_PARAMETERS = False  # the threshold belongs to near_duplicates
SURVEY_ALONE = (("threshold", 1.0),)  # without it no near copy may take the place of an exact keeper


def judge(doc: Document, *, survey: Rows) -> Verdict:
    """Read the table of the survey of copies; an exact copy has the same letters in the same order."""
    row = survey.get(doc.id)
    if row is None or row["kind"] != "exact":
        return Verdict("keep", "no-exact-copy")
    return Verdict("drop", "exact-copy", measured=1.0, labels=(("keeper", row["keeper"]),))
