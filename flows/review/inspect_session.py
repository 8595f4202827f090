"""Answer the page of an inspection: one document at a time, four answers each, saved in the sheet of its reader."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from flows.review.inspection import Sheet
from flows.review.refusal import Refusal, parse_count, unknown_address
from flows.review.review_session import FILES
from malmoi.printable import escape_controls, escape_line
from malmoi.releases.sampling.inspection import QUESTIONS, Reading

PASSAGE = 1_500  # code points; a text of more than four is shown by its start, its middle and its end
MAX_TEXT = 200_000  # code points that the page shows of a whole text
MAX_NOTE = 500  # code points


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
        match path:
            case "/api/answer":
                return self._save(asked)
            case "/api/undo":
                return self._take_back()
        raise unknown_address()

    def _describe_sheet(self, readings: list[Reading]) -> dict[str, Any]:
        facts = {name: _line(str(value)) for name, value in asdict(self._sheet.facts).items()}
        read = [bool(one.reader) for one in readings]
        found = {name: sum(name in one.yes for one in readings) for name in QUESTIONS}
        path = _line(str(self._sheet.path))
        more = {"reader": self._sheet.reader, "sheet": path, "questions": QUESTIONS}
        more["command"] = f"malmoi inspect --read {shlex.quote(path)}"
        return facts | more | {"read": read, "found": found, "undo": len(self._undo)}

    def _show(self, at: int, whole: bool) -> dict[str, Any]:
        one, answer = self._sheet.texts[at], self._sheet.read()[at]
        passages = [Passage(one.text[:MAX_TEXT])] if whole else cut_text(one.text)
        return {
            "at": at,
            "id": _line(one.id),
            "title": _line(one.title),
            "source": _line(one.source),
            "licence": _line(one.licence),
            "url": _line(one.url),
            "date": _line(one.date),
            "labels": [[name, _line(value)] for name, value in one.labels],
            "characters": len(one.text),
            "passages": [{"text": escape_controls(part.text), "skipped": part.skipped} for part in passages],
            "cut": max(0, len(one.text) - MAX_TEXT) if whole else 0,
            "read": bool(answer.reader),
            "yes": answer.yes,
            "note": _line(answer.note),
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

    def _take_back(self) -> dict[str, Any]:
        """Restore the answers before the last save of this run, and name the document; 409 if nothing was saved."""
        with self.lock:
            if not self._undo:
                raise Refusal(409, "nothing was saved since the page was started.")
            at, before = self._undo.pop()
            return self._replace(at, before, remember=False)

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


def _line(text: str) -> str:
    return escape_line(text)
