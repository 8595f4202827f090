"""Inspections of a release: draw the texts, keep the sheet of each reader, answer their page, report what they found.

A folder has `sample.json` (release, version, root, seed, size) and for each reader a sheet, NAME.csv. A sheet is
written whole after each answer, so that a reader who stops goes on where they were. The page shows one document at a
time, with four questions.
"""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from flows.review.review_session import FILES
from flows.review.sample import SAMPLE, SampleFacts, check_ids, find_release, keep, make_facts, read_facts
from flows.review.server import Refusal, parse_count, unknown_address
from malmoi.errors import CallError
from malmoi.printable import escape_controls, escape_line
from malmoi.releases.sampling.inspection import (
    MOST_READERS,
    QUESTIONS,
    DrawnText,
    QuestionCounts,
    Reading,
    count_answers,
    draw_texts,
)
from malmoi.releases.sampling.inspection import read_sheet as read_readings
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace

TEXTS = "documents.txt"
COMMAND = "inspect"
PASSAGE = 1_500  # code points; a text of more than four is shown by its start, its middle and its end
MAX_TEXT = 200_000  # code points that the page shows of a whole text
MAX_NOTE = 500  # code points
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


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text, and how many code points are left out before it."""

    text: str
    skipped: int = 0


class InspectSession:
    """The state of one run of the page: what can be undone. Thread-safe."""

    files: Mapping[str, str] = FILES | {
        "/page.js": "inspect.js",
        "/inspect_views.js": "inspect_views.js",
        "/inspect_words.js": "inspect_words.js",
    }

    def __init__(self, sheet: Sheet) -> None:
        """Open the sheet; CallError if its rows are not the documents of its sample."""
        self._sheet, self.lock = sheet, Lock()
        self._undo: list[tuple[int, Reading]] = []  # place and answers before
        sheet.read()

    def get(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the state of the sheet, or a document."""
        match path:
            case "/api/sheet":
                with self.lock:
                    return self._describe_sheet(self._sheet.read())
            case "/api/document":
                with self.lock:
                    return self._show(self._check_place(parse_count(asked.get("at", ""))), "whole" in asked)
        raise unknown_address()

    def post(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Save the answers about a document, or take the last ones back."""
        if path == "/api/answer":
            return self._save(asked)
        if path != "/api/undo":
            raise unknown_address()
        with self.lock:  # restore the answers before the last save of this run
            if not self._undo:
                raise Refusal(409, "nothing was saved since the page was started.")
            at, before = self._undo.pop()
            return self._replace(at, before, remember=False)

    def _describe_sheet(self, readings: list[Reading]) -> dict[str, Any]:
        facts = {name: escape_line(str(value)) for name, value in asdict(self._sheet.facts).items()}
        read = [bool(one.reader) for one in readings]
        found = {name: sum(name in one.yes for one in readings) for name in QUESTIONS}
        path = escape_line(str(self._sheet.path))
        more = {"reader": self._sheet.reader, "sheet": path, "questions": QUESTIONS}
        more["command"] = f"malmoi inspect --read {shlex.quote(path)}"
        return facts | more | {"read": read, "found": found, "undo": len(self._undo)}

    def _show(self, at: int, whole: bool) -> dict[str, Any]:
        one, answer = self._sheet.texts[at], self._sheet.read()[at]
        passages = [Passage(one.text[:MAX_TEXT])] if whole else cut_text(one.text)
        return {
            "at": at,
            **{name: escape_line(getattr(one, name)) for name in ("id", "title", "source", "licence", "url", "date")},
            "labels": [[name, escape_line(value)] for name, value in one.labels],
            "characters": len(one.text),
            "passages": [{"text": escape_controls(part.text), "skipped": part.skipped} for part in passages],
            "cut": max(0, len(one.text) - MAX_TEXT) if whole else 0,
            "read": bool(answer.reader),
            "yes": answer.yes,
            "note": escape_line(answer.note),
        }

    def _save(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Save the answers about the document at `at`: `yes` names the questions, and `note` is free."""
        at, said, note = asked.get("at"), asked.get("yes"), asked.get("note", "")
        if type(at) is not int or not isinstance(said, list) or not all(one in QUESTIONS for one in said):
            raise Refusal(400, f"an answer has the number of a document and some of {', '.join(QUESTIONS)}.")
        if not isinstance(note, str) or len(note) > MAX_NOTE or note != escape_line(note):
            raise Refusal(400, f"the note has control characters, or more than {MAX_NOTE} characters. Type it again.")
        yes = tuple(name for name in QUESTIONS if name in said)
        today = datetime.now(UTC).date().isoformat()
        with self.lock:
            place = self._check_place(at)
            made = Reading(self._sheet.texts[place].id, yes, self._sheet.reader, today, note.strip())
            return self._replace(place, made, remember=True)

    def _replace(self, at: int, made: Reading, *, remember: bool) -> dict[str, Any]:
        readings = self._sheet.read()  # another page may have written
        if remember:
            self._undo.append((at, readings[at]))
        readings[at] = made
        self._sheet.write(readings)
        return {"at": at} | self._describe_sheet(readings)

    def _check_place(self, at: int) -> int:
        if not 0 <= at < len(self._sheet.texts):
            raise Refusal(404, f"the sample has no document {at + 1}.")
        return at


def cut_text(text: str) -> list[Passage]:
    """Return a text whole, or its start, its middle and its end, PASSAGE code points each, cut between lines.

    The same three places as in the inspection of HPLT 3.0, where each has 500 characters.

    >>> [(len(part.text), part.skipped) for part in cut_text("가" * 9000)]
    [(1500, 0), (1500, 2250), (1500, 2250)]
    """
    if len(text) <= 4 * PASSAGE:
        return [Passage(text)]
    found, past = [], 0
    for start in (0, (len(text) - PASSAGE) // 2, len(text) - PASSAGE):
        end = start + PASSAGE
        if start:
            start = text.find("\n", start, start + PASSAGE // 4) + 1 or start
        if end < len(text) and (last := text.rfind("\n", end - PASSAGE // 4, end)) >= 0:
            end = last
        found.append(Passage(text[start:end], start - past))
        past = end
    return found
