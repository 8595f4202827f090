"""The rate of wrong grants in a stratified sample that people judge; the strata are source × kind of proof.

The seed alone decides the sample: within a stratum, the documents with the smallest sha256 of seed, line feed and id.
The rate is the sum over the strata of share of documents × share of wrong ones. The interval is Wilson's with the
effective sample size, 1 / Σ (share² / judged), in place of the number of judged documents: Franco, Little, Louis & Slud
2019 (Journal of Survey Statistics and Methodology 7:334). A grant of which the person is unsure counts as wrong.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from malmoi.errors import CallError
from malmoi.licensing.proofs import PROOFS, REVIEW
from malmoi.releases.sampling import is_day, read_last, read_rows
from malmoi.statistics import Estimate, estimate_rate
from malmoi.storage.duckdb_tables import Tables, open_tables, quote_string
from malmoi.workspace_layout import Layout

VERDICTS = ("right", "wrong", "unsure")
Stratum: TypeAlias = tuple[str, str]  # source, kind of proof
_PROOFS = ", ".join(f"'{name}'" for name in (*PROOFS, REVIEW))
# The proof of a document: of its nearest scope with a proof; there, the decision of a person before other kinds.
_PROVED = (
    "SELECT id, source, license, url, kind AS proof FROM ("
    " SELECT d.id, d.source, d.license, d.url, coalesce(e.kind, '') AS kind, row_number() OVER (PARTITION BY d.id"
    f" ORDER BY e.kind IN ({_PROOFS}) DESC, CASE e.scope WHEN 'item' THEN 0 WHEN 'site' THEN 1 ELSE 2 END,"
    f" e.kind = '{REVIEW}' DESC, e.kind) AS turn"
    " FROM data d LEFT JOIN licence_evidence e USING (id)) WHERE turn = 1"
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One document of a sample."""

    id: str
    source: str
    proof: str  # kind of its proof; "" if a release made before has none
    licence: str
    url: str

    @property
    def stratum(self) -> Stratum:
        """The stratum of the document."""
        return self.source, self.proof


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
        same |= {"date": self.last, "sample_rate": found.value, "sample_low": found.low, "sample_high": found.high}
        names = ("source", "proof", "documents", "judged", "wrong", "unsure")
        return [same | {name: getattr(one, name) for name in names} for one in self.strata]


def draw(release: Path, seed: str, size: int) -> tuple[list[Drawn], dict[Stratum, int]]:
    """Return a sample of `size` documents of the release, sorted by source, proof and digest, and all strata."""
    with open_tables(release) as tables:
        strata = count_strata(tables)
        places = allocate(strata, size)
        digest = digest_sql(seed)
        most = max(places.values(), default=0)
        rows = tables.ask(
            "SELECT id, source, proof, license, url, turn FROM (SELECT *, row_number() OVER (PARTITION BY source, proof"
            f" ORDER BY {digest}) AS turn FROM ({_PROVED})) WHERE turn <= {most} ORDER BY source, proof, turn"
        ).rows
    found = [Drawn(*map(str, row[:5])) for row in rows if int(row[5] or 0) <= places.get((str(row[1]), str(row[2])), 0)]
    return found, strata


def allocate(strata: Mapping[Stratum, int], size: int) -> dict[Stratum, int]:
    """Return how many documents of each stratum a sample of `size` documents has: in proportion, at least one of each.

    Each place goes to the stratum with the highest quotient documents / (2 × places + 1) (Webster's method), after
    each has got one. If `size` is below the number of strata, the largest get one. Ties go by name.

    >>> allocate({("a", "field"): 900, ("b", "field"): 90, ("b", "statute"): 1}, 12)
    {('a', 'field'): 10, ('b', 'field'): 1, ('b', 'statute'): 1}
    """
    first = sorted(strata, key=lambda one: (-strata[one], one))[:size]
    places = dict.fromkeys(sorted(first), 1)
    waiting = [(-strata[one] / 3, one) for one in places if strata[one] > 1]
    heapq.heapify(waiting)
    for _ in range(size - len(places)):
        if not waiting:
            break
        _, one = heapq.heappop(waiting)
        places[one] += 1
        if places[one] < strata[one]:
            heapq.heappush(waiting, (-strata[one] / (2 * places[one] + 1), one))
    return places


def count_strata(tables: Tables) -> dict[Stratum, int]:
    """Return the number of documents of each stratum, sorted."""
    rows = tables.ask(f"SELECT source, proof, count(*) FROM ({_PROVED}) GROUP BY 1, 2 ORDER BY 1, 2").rows
    return {(str(source), str(proof)): int(n or 0) for source, proof, n in rows}


def find_strata(tables: Tables, ids: Mapping[str, object]) -> dict[str, Stratum]:
    """Return the strata of those documents of the release that are in `ids`."""
    rows = tables.ask(f"SELECT id, source, proof FROM ({_PROVED})").rows
    return {str(id): (str(source), str(proof)) for id, source, proof in rows if id in ids}


def digest_sql(seed: str) -> str:
    """Return SQL for the digest by which a seed orders documents."""
    return f"sha256({quote_string(seed)} || chr(10) || id)"


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


def count_answers(
    sizes: Mapping[Stratum, int], places: Mapping[str, Stratum], answers: Iterable[Answer]
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
        for place, documents in sizes.items()
    )


def estimate(strata: Iterable[Counts]) -> Estimate:
    """Return the rate over the strata that were sampled; ValueError if none was. Rounded to four decimals.

    >>> estimate([Counts("a", "field", 900, judged=90, wrong=1), Counts("b", "statute", 100, judged=10, unsure=1)])
    Estimate(value=0.02, low=0.0055, high=0.07)
    >>> estimate([Counts("a", "field", 1000, judged=100)])
    Estimate(value=0.0, low=0.0, high=0.037)
    """
    sampled = [one for one in strata if one.judged]
    if not sampled:
        raise ValueError("no document was judged")
    whole = sum(one.documents for one in sampled)
    shares = [(one.documents / whole, one.judged, one.wrong + one.unsure) for one in sampled]
    rate = math.fsum(share * wrong / judged for share, judged, wrong in shares)
    return estimate_rate(rate, 1 / math.fsum(share * share / judged for share, judged, _ in shares))


def read_sample(layout: Layout, name: str) -> Sample | None:
    """Return the kept sample of the highest sampled version of the release `name`, or None."""

    def parse(value: Mapping[str, Any]) -> Sample:
        answers = value["answers"]
        return Sample(
            version=value["version"],
            root=value["root"],
            seed=value["seed"],
            strata=tuple(Counts(**one) for one in value["strata"]),
            reviewers=len({one["reviewer"] for one in answers}),
            last=max(one["date"] for one in answers),
        )

    return read_last(layout.samples(name), parse)
