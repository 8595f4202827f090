"""Facts of a data card: every number and every table of facts.toml, with an SQL query over the tables of a release."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from malmoi.ablation import MEAN
from malmoi.licensing.proofs import PROOFS, REVIEW
from malmoi.licensing.rights_decision import NONE, SCOPES, UNKNOWN

_FILE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_PARTS = {
    **_FILE["parts"],
    "proofs": str((*sorted(PROOFS), REVIEW)),
    "nothing": str((NONE, UNKNOWN)),
    "scopes": str(list(SCOPES)),
    "review": REVIEW,
    "mean": MEAN,
}
_PART = re.compile(r"\{([a-z_]+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")  # one level of parts in the argument of a part


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the card: English and Korean title, unit, input tables, SQL query."""

    title: str
    title_ko: str
    unit: str
    inputs: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One table of the card; `heads` are the column titles, English and Korean, in the order of the query."""

    title: str
    title_ko: str
    heads: tuple[tuple[str, str], ...]
    inputs: tuple[str, ...]
    sql: str


def expand(sql: str) -> str:
    """Return a query with its parts in their places, and single blanks.

    >>> expand("SELECT {site:url}\\nFROM data")
    "SELECT regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#0-9:@]+', 0) FROM data"
    """
    while (whole := _PART.sub(lambda part: _PARTS[part[1]].strip().replace("{}", part[2] or ""), sql)) != sql:
        sql = whole
    return " ".join(sql.split())


FACTS_VERSION: int = _FILE["version"]
NUMBERS = {
    key: Number(row["title"][0], row["title"][1], row["unit"], tuple(row["inputs"]), expand(row["sql"]))
    for key, row in _FILE["numbers"].items()
}
TABLES = {
    key: Listing(
        row["title"][0], row["title"][1], tuple(map(tuple, row["heads"])), tuple(row["inputs"]), expand(row["sql"])
    )
    for key, row in _FILE["tables"].items()
}
