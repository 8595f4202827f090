"""Types of the card's questions: a number or a table, with titles and SQL query."""

from __future__ import annotations

from dataclasses import dataclass


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


DOCUMENTS = ("documents", "문서")
# Host of the column `url` of data. A numeric host is not shown: the address of a machine may be personal data.
HOST = r"regexp_replace(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)', 1), '^[0-9.:\[\]]+$', 'a number')"
