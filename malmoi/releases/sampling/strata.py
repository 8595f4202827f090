"""Draw a stratified sample of the documents of a release; the strata are source × kind of proof.

The seed alone decides the sample: within a stratum, the documents with the smallest sha256 of seed, line feed and id.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from malmoi.licensing.proofs import PROOFS, REVIEW
from malmoi.storage.duckdb_tables import Tables, open_tables, quote_string

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


def count_strata(tables: Tables) -> dict[Stratum, int]:
    """Return the number of documents of each stratum, sorted."""
    rows = tables.ask(f"SELECT source, proof, count(*) FROM ({_PROVED}) GROUP BY 1, 2 ORDER BY 1, 2").rows
    return {(str(source), str(proof)): int(n or 0) for source, proof, n in rows}


def find_strata(tables: Tables, ids: Mapping[str, object]) -> dict[str, Stratum]:
    """Return the strata of those documents of the release that are in `ids`."""
    rows = tables.ask(f"SELECT id, source, proof FROM ({_PROVED})").rows
    return {str(id): (str(source), str(proof)) for id, source, proof in rows if id in ids}


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


def digest_sql(seed: str) -> str:
    """Return SQL for the digest by which a seed orders documents."""
    return f"sha256({quote_string(seed)} || chr(10) || id)"


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
