"""Take away paragraphs that stand in many documents of a host or of the corpus, from all of these but one.

`host_furniture` takes what stands at the edges of pages, letter for letter. What stands inside them, differs
from page to page in dates, counts and names, or goes from host to host is found here: the survey `paragraphs` counts
in how many documents each paragraph stands, and names the one in which it stays.

What recurs by right (articles of laws, formulas of minutes and rulings, prayers, items, tables, questions,
quotations, code) is never counted, nor is a short line that does not speak of its page (filters/paragraphs/cues.py).
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

MIN_LEFT = 90  # code points, white space left out: what `length` asks of a text, which this must not undo


def mend(doc: Document, *, survey: Rows, max_removed: Share = 0.8) -> Edits:
    """Edits that remove repeated paragraphs; reason `repeated-in-host` or `repeated-in-corpus`.

    A document of which more than `max_removed` of the written characters would go, or fewer than MIN_LEFT
    stay, is left whole: it is no text with a notice, but a notice, and whether it is a copy is for
    `near_duplicates` to say. Between the paragraphs around a gap stay the line breaks of its wider side.
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
    edits: list[Edit] = []
    for run in _group_runs(doc.text, going):
        for (start, end), found in zip(_plan_cuts(doc.text, run), run, strict=True):
            edits.append(Edit(start, end, "", "repeated-in-host" if found.keys[0] in host else "repeated-in-corpus"))
    return tuple(edits)


def _group_runs(text: str, going: Sequence[Paragraph]) -> list[list[Paragraph]]:
    """Paragraphs with nothing but white space between them, together."""
    runs: list[list[Paragraph]] = []
    for found in going:
        if runs and not text[runs[-1][-1].end : found.start].strip():
            runs[-1].append(found)
        else:
            runs.append([found])
    return runs


def _plan_cuts(text: str, run: Sequence[Paragraph]) -> list[tuple[int, int]]:
    """Where each paragraph of a run is cut out, with the gaps between them and the narrower of the gaps around them."""
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
