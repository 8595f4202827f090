"""Measure a release against the expectations of a recipe."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from malmoi.errors import CallError
from malmoi.expectations import LOW_HANGUL, Expectations
from malmoi.releases import manifest
from malmoi.storage.duckdb_tables import Tables, open_tables

VERDICTS = ("right", "wrong", "unsure")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One expectation: whether it is met, what was measured and what was expected, both as text."""

    expectation: str  # key of the table, with the value that it is about: licence_share.CC-BY-4.0
    met: bool
    measured: str
    expected: str

    def says(self) -> str:
        """Return one line for people."""
        return f"{self.expectation} is {self.measured}, expected {self.expected}"


def measure(folder: Path, expect: Expectations, review: Path | None = None) -> list[Outcome]:
    """Measure the release in `folder` against every expectation that is set, in the order of the table.

    The licences that people have judged are read from `review`; without that file, or without a verdict on a document
    of this release, the rate of wrong grants is not measured. CallError if the file cannot be read.
    """
    with open_tables(folder) as tables:
        return [
            *_measure_schema(folder, expect),
            *_measure_tables(tables, expect),
            *_measure_review(tables, expect, review),
        ]


def _measure_schema(folder: Path, expect: Expectations) -> Iterator[Outcome]:
    if expect.schema_version:
        found = manifest.read(folder).schema_version
        yield Outcome("schema_version", found == expect.schema_version, str(found), str(expect.schema_version))


def _measure_tables(tables: Tables, expect: Expectations) -> Iterator[Outcome]:
    documents, characters = _count(tables, "count(*)"), _count(tables, "coalesce(sum(n_chars), 0)::BIGINT")
    for name, found, least in (
        ("min_documents", documents, expect.min_documents),
        ("min_characters", characters, expect.min_characters),
        ("min_length", _count(tables, "coalesce(min(n_chars), 0)"), expect.min_length),
    ):
        if least:
            yield Outcome(name, found >= least, f"{found:,}", f"at least {least:,}")
    if expect.max_length is not None:
        longest = _count(tables, "coalesce(max(n_chars), 0)")
        yield Outcome("max_length", longest <= expect.max_length, f"{longest:,}", f"at most {expect.max_length:,}")
    for key in expect.unique:
        repeated = documents - _count(tables, f"count(DISTINCT {key})")
        yield Outcome(f"unique.{key}", not repeated, f"repeated in {repeated:,} documents", "in no document")
    yield from _measure_allowed(tables, "languages", "language", expect.languages)
    yield from _measure_allowed(tables, "licences", "license", expect.licences)
    for name, column, ranges in (
        ("licence_share", "license", expect.licence_share),
        ("source_share", "source", expect.source_share),
        ("domain_share", "domain", expect.domain_share),
    ):
        yield from _measure_shares(tables, name, column, ranges, characters)
    if expect.low_hangul_share != (0.0, 1.0):
        low = _count(tables, f"coalesce(sum(n_chars) FILTER (hangul_share < {LOW_HANGUL}), 0)::BIGINT")
        yield _check_range("low_hangul_share", low, characters, expect.low_hangul_share)
    if expect.max_duplicate_share < 1:
        copies = _count(tables, "count(*)", "dropped WHERE reason IN ('exact-copy', 'near-copy')")
        yield _check_range("max_duplicate_share", copies, copies + documents, (0.0, expect.max_duplicate_share))


def _count(tables: Tables, what: str, source: str = "data") -> int:
    return int(tables.ask(f"SELECT {what} FROM {source}").rows[0][0] or 0)


def _measure_allowed(tables: Tables, name: str, column: str, allowed: tuple[str, ...]) -> Iterator[Outcome]:
    if allowed:
        rows = tables.ask(f'SELECT "{column}", count(*) FROM data GROUP BY 1 ORDER BY 1').rows
        others = [f"{value or 'empty'} ({n:,})" for value, n in rows if value not in allowed]
        yield Outcome(name, not others, ", ".join(others) or "nothing else", f"only {', '.join(allowed)}")


def _measure_shares(
    tables: Tables, name: str, column: str, ranges: Mapping[str, tuple[float, float]], characters: int
) -> Iterator[Outcome]:
    if ranges:
        rows = tables.ask(f'SELECT "{column}", sum(n_chars)::BIGINT FROM data GROUP BY 1').rows
        held = {str(value): int(n or 0) for value, n in rows}
        for value, found in ranges.items():
            yield _check_range(f"{name}.{value}", held.get(value, 0), characters, found)


def _check_range(name: str, part: int, whole: int, found: tuple[float, float]) -> Outcome:
    share = part / whole if whole else 0.0
    met = found[0] <= share <= found[1]
    return Outcome(name, met, f"{share:.4f} ({part:,} of {whole:,})", f"{found[0]:g} to {found[1]:g}")


def _measure_review(tables: Tables, expect: Expectations, review: Path | None) -> Iterator[Outcome]:
    if review is None or expect.max_wrong_grants == 1 or not review.exists():
        return
    said = read_review(review)
    held = {str(row[0]) for row in tables.ask("SELECT id FROM data").rows}
    verdicts = Counter(verdict for id, verdict in said.items() if id in held)
    if judged := verdicts["right"] + verdicts["wrong"]:
        yield _check_range("max_wrong_grants", verdicts["wrong"], judged, (0.0, expect.max_wrong_grants))


def read_review(path: Path) -> dict[str, str]:
    """Read id → verdict from a CSV file; rows without a verdict are left out. CallError names what is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CallError(f"{path}: not readable as a review ({error}); it is a CSV file in UTF-8.") from error
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        verdict = (row.get("verdict") or "").strip()
        if "id" not in row or "verdict" not in row or verdict not in ("", *VERDICTS):
            raise CallError(
                f"{path}, line {number}: a review has the columns id and verdict, and a verdict is one of "
                f"{', '.join(VERDICTS)}, or empty. Correct the line."
            )
        if verdict:
            found[row["id"]] = verdict
    return found
