"""Remove paragraphs that many documents of a host or of the corpus repeat, from all of these but one.

`host_furniture` removes the boilerplate at the edges of pages, letter for letter. This filter finds repeated
paragraphs inside them, which differ from page to page in dates, counts and names, or occur on several hosts: the
survey `paragraphs` counts in how many documents each paragraph occurs, and names the one that keeps it.

Text that is repeated legitimately (articles of laws, formulas of minutes and rulings, prayers, items, tables,
questions, quotations, code) is never counted. Neither is a short line that is not about its page
(filters/paragraphs/paragraph_keys.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from filters.paragraphs.paragraph_keys import Paragraph, paragraphs
from filters.paragraphs.paragraph_survey import SURVEY as SURVEY
from malmoi.document import Document, Edit, Edits
from malmoi.parameter_bounds import Share
from malmoi.survey import Rows

VERSION = 1
LIBRARIES = ("google-re2", "numpy")

MIN_LEFT = 90  # code points, white space left out: the minimum of `length`, which must not be undercut


def mend(doc: Document, *, survey: Rows, max_removed: Share = 0.8) -> Edits:
    """Remove repeated paragraphs; reason `repeated-in-host` or `repeated-in-corpus`.

    A document that would lose more than `max_removed` of its characters, white space left out, or keep fewer than
    MIN_LEFT, is left whole: it is a notice and not a text with a notice, and `near_duplicates` decides whether it is a
    copy. The paragraphs around a gap keep the line breaks of its wider side between them.
    """
    row = survey.get(doc.id)
    if row is None:
        return ()
    host, corpus = set(row["host"]), set(row["corpus"])
    going = [found for found in paragraphs(doc) if found.keys[0] in host or found.keys[0] in corpus]
    written = sum(map(len, doc.text.split()))
    gone = sum(len(word) for found in going for word in doc.text[found.start : found.end].split())
    if not gone or gone > max_removed * written or written - gone < MIN_LEFT:
        return ()
    runs: list[list[Paragraph]] = []  # of paragraphs that have only white space between them
    for found in going:
        if runs and not doc.text[runs[-1][-1].end : found.start].strip():
            runs[-1].append(found)
        else:
            runs.append([found])
    edits: list[Edit] = []
    for run in runs:
        for (start, end), found in zip(_plan_cuts(doc.text, run), run, strict=True):
            edits.append(Edit(start, end, "", "repeated-in-host" if found.keys[0] in host else "repeated-in-corpus"))
    return tuple(edits)


def _plan_cuts(text: str, run: Sequence[Paragraph]) -> list[tuple[int, int]]:
    """Return the cut of each paragraph of a run, with the gaps in between and the narrower of the outer gaps."""
    before = len(text[: run[0].start].rstrip())
    after = len(text) - len(text[run[-1].end :].lstrip("\n"))
    start, end = run[0].start, run[-1].end
    if not before:
        start, end = 0, after
    elif after == len(text) or run[0].start - before <= after - end:
        start = before
        end = len(text) if after == len(text) else end
    else:
        end = after
    bounds = [start, *(found.start for found in run[1:]), end]
    return list(pairwise(bounds))
