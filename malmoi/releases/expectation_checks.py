"""Measure a release against the expectations of a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from malmoi.recipe import LOW_HANGUL, Expectations
from malmoi.releases import manifest
from malmoi.releases.excluded_documents import STAGE, WITHDRAWN
from malmoi.releases.sampling.wrong_grants import (
    Counts,
    count_answers,
    count_strata,
    estimate,
    find_strata,
    read_answers,
)
from malmoi.storage.duckdb_tables import Tables, open_tables

JUDGED = "judged_grants"  # the audit table of the sample that people have judged


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

    The licences that people have judged are read from `review`, else from the sample that the release states; without
    either, or without a verdict on a document of this release, the rate of wrong grants is not measured. CallError if
    the file cannot be read.
    """
    schema, version = [], expect.schema_version
    if version:
        made = manifest.read(folder).schema_version
        schema.append(Outcome("schema_version", made == version, str(made), str(version)))
    with open_tables(folder) as tables:
        return [*schema, *_measure_tables(tables, expect), *_measure_wrong_grants(tables, expect, review)]


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
        sizes = {}
        if ranges:
            rows = tables.ask(f'SELECT "{column}", sum(n_chars)::BIGINT FROM data GROUP BY 1').rows
            sizes = {str(value): int(n or 0) for value, n in rows}
        for value, bounds in ranges.items():
            yield _check_range(f"{name}.{value}", sizes.get(value, 0), characters, bounds)
    if expect.low_hangul_share != (0.0, 1.0):
        low = _count(tables, f"coalesce(sum(n_chars) FILTER (hangul_share < {LOW_HANGUL}), 0)::BIGINT")
        yield _check_range("low_hangul_share", low, characters, expect.low_hangul_share)
    if expect.max_duplicate_share < 1:
        copies = _count(tables, "count(*)", "dropped WHERE reason IN ('exact-copy', 'near-copy')")
        yield _check_range("max_duplicate_share", copies, copies + documents, (0.0, expect.max_duplicate_share))
    if expect.max_quarantined < 1:
        yield _measure_quarantined(tables, expect.max_quarantined)


def _measure_quarantined(tables: Tables, most: float) -> Outcome:
    """Measure the share of quarantined documents; one alone is a share above 0.1 % of any small release, so it may be.

    With 0 as the limit not even one may be.
    """
    last = f"stage = '{STAGE}'"
    came = _count(tables, "sum(n)", f"stages WHERE {last} AND outcome = 'in'")
    left = _count(tables, "count(*)", f"dropped WHERE {last} AND reason <> '{WITHDRAWN[1]}'")
    found = _check_range("max_quarantined", left, came, (0.0, most))
    if left == 1 and most:
        return replace(found, met=True)
    return found if found.met else replace(found, expected=f"{found.expected}; `malmoi review finds` shows them")


def _count(tables: Tables, what: str, source: str = "data") -> int:
    return int(tables.ask(f"SELECT {what} FROM {source}").rows[0][0] or 0)


def _measure_allowed(tables: Tables, name: str, column: str, allowed: tuple[str, ...]) -> Iterator[Outcome]:
    if allowed:
        rows = tables.ask(f'SELECT "{column}", count(*) FROM data GROUP BY 1 ORDER BY 1').rows
        others = [f"{value or 'empty'} ({n:,})" for value, n in rows if value not in allowed]
        yield Outcome(name, not others, ", ".join(others) or "nothing else", f"only {', '.join(allowed)}")


def _check_range(name: str, part: int, whole: int, found: tuple[float, float]) -> Outcome:
    share = part / whole if whole else 0.0
    met = found[0] <= share <= found[1]
    return Outcome(name, met, f"{share:.4f} ({part:,} of {whole:,})", f"{found[0]:g} to {found[1]:g}")


def _measure_wrong_grants(tables: Tables, expect: Expectations, review: Path | None) -> Iterator[Outcome]:
    """Measure the rate of wrong grants by a review of documents of this release, else by the sample that it states."""
    if expect.max_wrong_grants == 1:
        return
    strata: tuple[Counts, ...] = ()
    if review and review.exists():
        answers = {one.id: one for one in read_answers(review)}
        strata = count_answers(count_strata(tables), find_strata(tables, answers), answers.values())
    elif JUDGED in tables.names:
        rows = tables.ask(f"SELECT source, proof, documents, judged, wrong, unsure FROM {JUDGED} ORDER BY 1, 2").rows
        strata = tuple(Counts(str(row[0]), str(row[1]), *(int(n or 0) for n in row[2:])) for row in rows)
    judged = sum(one.judged for one in strata)
    if judged:
        found, most = estimate(strata), expect.max_wrong_grants
        wrong = sum(one.wrong + one.unsure for one in strata)
        measured = f"{found.value:.4f} ({wrong:,} of {judged:,}, 95 % interval {found.low:.4f} to {found.high:.4f})"
        yield Outcome("max_wrong_grants", found.value <= most, measured, f"0 to {most:g}")
