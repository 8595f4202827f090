"""What a question of the card is: a number or a table, its titles, and the SQL that gives it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the card: English and Korean title, unit, the tables it is taken from, the question."""

    title: str
    title_ko: str
    unit: str
    inputs: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One table of the card; `heads` are the column titles, English and Korean, in the order of the question."""

    title: str
    title_ko: str
    heads: tuple[tuple[str, str], ...]
    inputs: tuple[str, ...]
    sql: str


DOCUMENTS = ("documents", "문서")
# Of the column `url` of data. A host in numbers is not shown: it is the address of a machine, which may be a person's.
HOST = r"regexp_replace(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)', 1), '^[0-9.:\[\]]+$', 'a number')"
