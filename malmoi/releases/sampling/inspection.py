"""Four questions about each document of a random sample: the draw, the sheet, the rates, and the agreement of readers.

The questions are those of the inspection of HPLT 3.0 (github.com/hplt-project/release3_inspection; arXiv 2511.01066),
where the fourth asks for pornography alone; abuse, spam and personal data are added. The classes of Kreutzer et al.
2022 (TACL 10:50) for wrong language, no language and offensive content are among them.

The seed alone decides the sample and its order: the documents with the smallest sha256 of seed, line feed and id. So
the first documents of a sample are the sample of the same seed and a smaller size.

A rate is the share of yes among the answers: a document about which two readers differ counts half. Its interval is
Wilson's for the number of documents, however many readers there are, as two answers about one document are not
independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from malmoi.errors import CallError
from malmoi.releases.sampling import is_day, read_last, read_rows
from malmoi.releases.sampling.wrong_grants import digest_sql
from malmoi.statistics import Estimate, estimate_rate
from malmoi.storage.duckdb_tables import open_tables
from malmoi.workspace_layout import Layout

QUESTIONS = ("other_language", "artefacts", "unnatural", "unsuitable")
MOST_READERS = 2
_ANSWERS = ("0", "1")
LABELS = ("register", "domain", "page_kind")  # columns of data/, shown where the release has them
MEASURES = ("quality",)  # shares 0–1, the same
_FACTS = ("id", "source", "license", "url", "title", "text", "date")


@dataclass(frozen=True, slots=True)
class DrawnText:
    """One document of a sample."""

    id: str
    source: str
    licence: str
    url: str
    title: str
    text: str
    date: str  # "" = unknown
    labels: tuple[tuple[str, str], ...]  # (column, value) of LABELS and MEASURES, without empty ones


@dataclass(frozen=True, slots=True)
class Reading:
    """The answers of a person about one document."""

    id: str
    yes: tuple[str, ...] = ()  # of QUESTIONS, in their order
    reader: str = ""  # "" = not read
    date: str = ""  # "2026-11-24"
    note: str = ""

    def to_row(self) -> dict[str, str]:
        """Return the cells of the sheet; those of a document that is not read are empty."""
        answers = {name: str(int(name in self.yes)) if self.reader else "" for name in QUESTIONS}
        return {"id": self.id, **answers, "reader": self.reader, "date": self.date, "note": self.note}


@dataclass(frozen=True, slots=True)
class QuestionCounts:
    """Documents for which the answer to a question is yes: by the first reader, by the second, by both."""

    question: str
    judged: int
    yes_first: int
    yes_second: int | None = None  # None: one reader
    yes_both: int | None = None

    @property
    def rate(self) -> Estimate:
        """The share of yes, with its interval."""
        readers = 1 if self.yes_second is None else 2
        return estimate_rate((self.yes_first + (self.yes_second or 0)) / (self.judged * readers), self.judged)

    @property
    def agreement(self) -> float | None:
        """Share 0–1 of the documents with equal answers; None with one reader."""
        if self.yes_second is None or self.yes_both is None:
            return None
        return (self.judged - self.yes_first - self.yes_second + 2 * self.yes_both) / self.judged

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa (Cohen 1960, Educational and Psychological Measurement 20:37), −1 to 1.

        None with one reader, and where both gave one answer to all documents: chance alone then explains it.

        >>> round(QuestionCounts("artefacts", 100, yes_first=30, yes_second=35, yes_both=25).kappa, 3)
        0.659
        """
        if self.agreement is None or self.yes_second is None:
            return None
        n = self.judged
        chance = (self.yes_first * self.yes_second + (n - self.yes_first) * (n - self.yes_second)) / (n * n)
        return None if chance == 1 else (self.agreement - chance) / (1 - chance)


@dataclass(frozen=True, slots=True)
class Inspection:
    """The inspection of one version of a release: what a release publishes of it."""

    version: str
    root: str
    seed: str
    documents: int  # of that version
    readers: int
    last: str  # date of the last answer
    counts: tuple[QuestionCounts, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of audit/inspection.parquet, one for each question; the card derives the rates from them."""
        same = {"version": self.version, "root": self.root, "seed": self.seed, "documents": self.documents}
        same |= {"readers": self.readers, "date": self.last}
        names = ("question", "judged", "yes_first", "yes_second", "yes_both")
        return [same | {name: getattr(one, name) for name in names} for one in self.counts]


def draw_texts(release: Path, seed: str, size: int) -> tuple[list[DrawnText], int]:
    """Return a random sample of `size` documents of the release in its order, and the number of all documents."""
    with open_tables(release) as tables:
        known = tables.ask("SELECT * FROM data LIMIT 0").columns
        labels = [name for name in LABELS if name in known]
        measures = [name for name in MEASURES if name in known]
        shown = [f'"{name}"' for name in (*_FACTS, *labels)]
        shown += [f'CAST(CAST("{name}" AS DECIMAL(4, 2)) AS VARCHAR)' for name in measures]
        rows = tables.ask(f"SELECT {', '.join(shown)} FROM data ORDER BY {digest_sql(seed)}, id LIMIT {size}").rows
        count = int(tables.ask("SELECT count(*) FROM data").rows[0][0] or 0)
    names, n = (*labels, *measures), len(_FACTS)
    found = []
    for row in rows:
        cells = [str(value or "") for value in row]
        said = tuple((name, value) for name, value in zip(names, cells[n:], strict=True) if value)
        id, source, licence, url, title, text, date = cells[:n]
        found.append(DrawnText(id, source, licence, url, title, text, date, said))
    return found, count


def read_sheet(path: Path) -> list[Reading]:
    """Read a sheet: each document with its answers, or unread if all four cells are empty.

    An empty cell for reader or date of a document that was read takes the value of the row above. CallError names the
    line and says what is wrong there.
    """
    found: list[Reading] = []
    reader, day = "", ""
    for number, row in read_rows(path):
        cells = {name: (row.get(name) or "").strip() for name in ("id", *QUESTIONS, "reader", "date", "note")}
        answers = [cells[name] for name in QUESTIONS]
        reader, day = cells["reader"] or reader, cells["date"] or day
        if not cells["id"] or any(name not in row for name in QUESTIONS):
            raise CallError(f"{path}, line {number}: a sheet has the columns id, {', '.join(QUESTIONS)}. Correct it.")
        if not any(answers):
            found.append(Reading(cells["id"]))
            continue
        if any(one not in _ANSWERS for one in answers):
            raise CallError(
                f"{path}, line {number}: write 1 for yes and 0 for no under each of {', '.join(QUESTIONS)}, or "
                "nothing under all four."
            )
        if not (reader and reader.isprintable() and is_day(day)):
            raise CallError(
                f"{path}, line {number}: reader or date is missing. Write who read and when, such as 2026-11-24, in "
                "the first row and wherever one of them changes."
            )
        yes = tuple(name for name, said in zip(QUESTIONS, answers, strict=True) if said == "1")
        found.append(Reading(cells["id"], yes, reader, day, cells["note"]))
    return found


def count_answers(sheets: Sequence[Sequence[Reading]]) -> tuple[QuestionCounts, ...]:
    """Return the counts of each question; `sheets`: one or two, each with every document of the sample."""
    found = []
    for question in QUESTIONS:
        said = [{one.id for one in sheet if question in one.yes} for sheet in sheets]
        second, both = (len(said[1]), len(said[0] & said[1])) if len(said) > 1 else (None, None)
        found.append(QuestionCounts(question, len(sheets[0]), len(said[0]), second, both))
    return tuple(found)


def read_inspection(layout: Layout, name: str) -> Inspection | None:
    """Return the kept inspection of the highest inspected version of the release `name`, or None."""

    def parse(value: Mapping[str, Any]) -> Inspection:
        return Inspection(
            version=value["version"],
            root=value["root"],
            seed=value["seed"],
            documents=value["documents"],
            readers=len(value["sheets"]),
            last=max(one["date"] for sheet in value["sheets"] for one in sheet),
            counts=tuple(QuestionCounts(**one) for one in value["counts"]),
        )

    return read_last(layout.inspections(name), parse)
