"""Inspections of a release: draw the texts, keep the sheet of each reader, report and keep what they found.

A folder has `sample.json` (release, version, root, seed, size) and for each reader a sheet, NAME.csv. A sheet is
written whole after each answer, so that a reader who stops goes on where they were.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from flows.review.sample_facts import SAMPLE, SampleFacts, check_ids, find_release, keep, make_facts, read_facts
from malmoi.errors import CallError
from malmoi.printable import escape_controls, escape_line
from malmoi.releases.sampling.inspection import MOST_READERS, QUESTIONS, QuestionCounts, Reading, count_answers
from malmoi.releases.sampling.inspection import read_sheet as read_readings
from malmoi.releases.sampling.random_sample import DrawnText, draw_texts
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace

TEXTS = "documents.txt"
COMMAND = "inspect"
_READER = re.compile(r"\w[\w-]{0,39}")  # also the name of a file
_COLUMNS = ("id", "source", "license", *QUESTIONS, "reader", "date", "note")


class Sheet:
    """The sheet of one reader in a folder, with the texts of the sample in its order."""

    def __init__(self, folder: Path, facts: SampleFacts, texts: Sequence[DrawnText], reader: str) -> None:
        self.facts, self.texts, self.reader = facts, texts, reader
        self.path = folder / f"{reader}.csv"

    def read(self) -> list[Reading]:
        """Return the answers in the order of the sample. CallError if the rows are not its documents."""
        readings = read_readings(self.path)
        check_ids(self.path, (one.id for one in readings), (one.id for one in self.texts), self.facts)
        found = {one.id: one for one in readings}
        return [found[one.id] for one in self.texts]

    def write(self, readings: Sequence[Reading]) -> None:
        """Write the sheet whole; `readings` in the order of the sample."""
        text = io.StringIO()
        writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        for drawn, one in zip(self.texts, readings, strict=True):
            writer.writerow({"source": drawn.source, "license": drawn.licence} | one.to_row())
        replace_file(self.path, text.getvalue())


def open_sheet(release: Path, folder: Path, facts_of: tuple[str, int], reader: str) -> Sheet:
    """Draw a sample by `facts_of` (seed and size), and open the sheet of a reader in `folder`; make it if it is new.

    CallError if the folder holds another sample, or the name of the reader cannot be that of a file.
    """
    if not _READER.fullmatch(reader):
        raise CallError(f"--reader {reader}: not a name for a sheet. Use at most 40 letters, digits, - and _.")
    facts = make_facts(release, *facts_of)
    if (folder / SAMPLE).exists():
        if (found := read_facts(folder, COMMAND)) != facts:
            raise CallError(
                f"{folder} holds the sheets of {found.release} {found.version} (root {found.root[:16]}, seed "
                f"{found.seed!r}, size {found.size}); give another folder with --out."
            )
    else:
        folder.mkdir(parents=True, exist_ok=True)
        facts.write(folder)
    texts, _ = draw_texts(release, *facts_of)
    sheet = Sheet(folder, facts, texts, reader)
    if not sheet.path.exists():
        sheet.write([Reading(one.id) for one in texts])
    return sheet


def write_texts(sheet: Sheet) -> Path:
    """Write the texts of a sample into the folder of the sheet, to be read without the page, and return the file."""
    parts = []
    for number, one in enumerate(sheet.texts, 1):
        labels = ", ".join(f"{name} {value}" for name, value in one.labels)
        facts = [f"{number}. {one.id}", one.title, f"{one.source}, {one.licence}, {one.url}", labels]
        head = [escape_line(line) for line in facts if line]
        parts.append("\n".join(["=" * 80, *head, "-" * 80, escape_controls(one.text), ""]))
    target = sheet.path.with_name(TEXTS)
    replace_file(target, "\n".join(parts))
    return target


def keep_sheets(paths: Sequence[Path], root: Path) -> tuple[Path, tuple[QuestionCounts, ...]]:
    """Check filled sheets of one sample, keep them in the workspace at `root`, and return the file and the counts.

    The sample is drawn again, so that each answer is about one of its documents and none is missing. CallError says
    what does not fit.
    """
    if len(paths) > MOST_READERS:
        raise CallError(f"--read takes one sheet or two, not {len(paths)}; leave the others out.")
    facts = read_facts(paths[0].parent, COMMAND)
    workspace = Workspace.open(root)
    texts, documents = draw_texts(find_release(workspace, facts, paths[0].parent), facts.seed, facts.size)
    sheets = []
    for path in paths:
        if (found := read_facts(path.parent, COMMAND)) != facts:
            raise CallError(
                f"{path} is of {found.release} {found.version}, seed {found.seed!r}, size {found.size}, and "
                f"{paths[0]} is not; give two sheets of one sample."
            )
        readings = read_readings(path)
        check_ids(path, (one.id for one in readings), (one.id for one in texts), facts)
        if waiting := sum(not one.reader for one in readings):
            raise CallError(
                f"{path}: {waiting} of {len(readings)} documents have no answer. Go on with `malmoi inspect`, or fill "
                "in the sheet."
            )
        sheets.append(readings)
    if len(sheets) > 1 and {one.reader for one in sheets[0]} & {one.reader for one in sheets[1]}:
        raise CallError(f"{paths[0]} and {paths[1]} name the same reader; give the sheets of two persons.")
    counts = count_answers(sheets)
    target = workspace.inspection(facts.release, facts.version)
    said = {"documents": documents, "counts": [asdict(one) for one in counts]}
    keep(workspace, target, facts, said | {"sheets": [[asdict(one) for one in sheet] for sheet in sheets]})
    return target, counts
