"""The rate of wrong grants in a sample that people have judged, with its 95 % interval. Standard library only.

The rate is that of a stratified sample: the sum over the strata of share of documents × share of wrong ones. The
interval is Wilson's with the effective sample size, 1 / Σ (share² / judged), in place of the number of judged
documents: Franco, Little, Louis & Slud 2019 (Journal of Survey Statistics and Methodology 7:334). A grant of which
the person is unsure counts as wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from malmoi.errors import CallError
from malmoi.releases.sampling.answer_sheets import is_day, read_rows
from malmoi.releases.sampling.intervals import Rate, estimate_rate
from malmoi.releases.sampling.strata import Stratum

VERDICTS = ("right", "wrong", "unsure")


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict of a person on the licence of one document."""

    id: str
    verdict: str  # one of VERDICTS
    reviewer: str = ""
    date: str = ""  # "2026-11-24"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """One stratum: its documents in the release, those that were judged, and those judged wrong or unsure."""

    source: str
    proof: str
    documents: int
    judged: int = 0
    wrong: int = 0
    unsure: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """The judged sample of one version of a release: what a release publishes of it."""

    version: str
    root: str
    seed: str
    strata: tuple[Counts, ...]
    reviewers: int
    last: str  # date of the last answer

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of audit/judged_grants.parquet; rate and interval are those of the whole sample."""
        found = estimate(self.strata)
        same = {"version": self.version, "root": self.root, "seed": self.seed, "reviewers": self.reviewers}
        same |= {"date": self.last, "sample_rate": found.rate, "sample_low": found.low, "sample_high": found.high}
        names = ("source", "proof", "documents", "judged", "wrong", "unsure")
        return [same | {name: getattr(one, name) for name in names} for one in self.strata]


def estimate(strata: Iterable[Counts]) -> Rate:
    """Return the rate over the strata that were sampled; ValueError if none was. Rounded to four decimals.

    >>> estimate([Counts("a", "field", 900, judged=90, wrong=1), Counts("b", "statute", 100, judged=10, unsure=1)])
    Rate(rate=0.02, low=0.0055, high=0.07)
    >>> estimate([Counts("a", "field", 1000, judged=100)])
    Rate(rate=0.0, low=0.0, high=0.037)
    """
    sampled = [one for one in strata if one.judged]
    if not sampled:
        raise ValueError("no document was judged")
    whole = sum(one.documents for one in sampled)
    shares = [(one.documents / whole, one.judged, one.wrong + one.unsure) for one in sampled]
    rate = math.fsum(share * wrong / judged for share, judged, wrong in shares)
    return estimate_rate(rate, 1 / math.fsum(share * share / judged for share, judged, _ in shares))


def count_answers(
    strata: Mapping[Stratum, int], places: Mapping[str, Stratum], answers: Iterable[Answer]
) -> tuple[Counts, ...]:
    """Return the counts of each stratum; `places` has the stratum of each document. Other documents do not count."""
    said = Counter((places[one.id], one.verdict) for one in answers if one.id in places)
    return tuple(
        Counts(
            *place,
            documents=documents,
            judged=sum(said[place, verdict] for verdict in VERDICTS),
            wrong=said[place, "wrong"],
            unsure=said[place, "unsure"],
        )
        for place, documents in strata.items()
    )


def read_answers(path: Path, *, whole: bool = False) -> list[Answer]:
    """Read a filled answer sheet: a CSV file in UTF-8 with the columns id and verdict.

    Rows without a verdict are left out. With `whole`, every row has a verdict, a reviewer and a date; an empty cell of
    the last two takes the value of the row above. CallError names the line and what is wrong there.
    """
    found: list[Answer] = []
    for number, row in read_rows(path):
        verdict, reviewer, day = ((row.get(name) or "").strip() for name in ("verdict", "reviewer", "date"))
        if "id" not in row or "verdict" not in row or verdict not in ("", *VERDICTS) or (whole and not verdict):
            raise CallError(
                f"{path}, line {number}: a review has the columns id and verdict, and a verdict is one of "
                f"{', '.join(VERDICTS)}{'' if whole else ', or empty'}. Correct the line."
            )
        if whole and found:
            reviewer, day = reviewer or found[-1].reviewer, day or found[-1].date
        if whole and not (reviewer and reviewer.isprintable() and is_day(day)):
            raise CallError(
                f"{path}, line {number}: reviewer or date is missing. Write who judged and when, such as 2026-11-24, "
                "in the first row and wherever one of them changes."
            )
        if verdict:
            found.append(Answer(row["id"], verdict, reviewer, day, (row.get("note") or "").strip()))
    return found
