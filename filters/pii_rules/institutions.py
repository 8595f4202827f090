"""Contact data of institutions: desk lines, role mailboxes, company numbers, office addresses.

The rows of institutions.toml say which values certainly belong to one. Any other value counts as a person's.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from filters.pii_rules.candidate import Candidate, Match
from filters.pii_rules.rule_table import Row, Rule, compile_rule

Official: TypeAlias = Literal["desk-line", "role-mailbox", "company-number", "office-address"]
EVERYTHING: Final[tuple[Official, ...]] = get_args(Official)
_SAYS: Final[dict[Official, str]] = {
    "desk-line": "desk line of an institution",
    "role-mailbox": "mailbox of a role",
    "company-number": "number of a company",
    "office-address": "address of an office",
}
_TABLE: Final = Path(__file__).with_name("institutions.toml")
_TIES: Final = " ()（）[]우,\u3000"  # between an address and its postcode
_MOBILE: Final = ("010", "011", "016", "017", "018", "019", "050")


class OfficialRow(Row):
    """A row of the table: conditions for a value that another rule has found."""

    official: Official
    confidence: float = 0.9
    name_reach: int = Field(40, ge=0, le=400)  # code points on either side without a name; 0: names may be near
    name_line: bool = True  # only those of the line

    @model_validator(mode="after")
    def _validate_trigger(self) -> OfficialRow:
        """A row has no trigger: another rule has found the value."""
        return self


class OfficialTable(BaseModel):
    """The file institutions.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Mapping[str, str]
    official: tuple[OfficialRow, ...]


@cache
def read_rows() -> Mapping[str, Sequence[tuple[OfficialRow, Rule]]]:
    """Return the rows with their conditions by kind. Raises ValueError for a table that is not valid."""
    table = OfficialTable.model_validate(tomllib.loads(_TABLE.read_text(encoding="utf-8")))
    rows: dict[str, list[tuple[OfficialRow, Rule]]] = {}
    for row in table.official:
        rows.setdefault(row.kind, []).append((row, compile_rule(row, table.words)))
    return rows


def filter_official(text: str, found: Sequence[Match], keep: Collection[Official]) -> list[Match]:
    """Drop the matches of institutions that `keep` names; add the type of the others to their `why`.

    `found` must be in text order. Reads a bounded window around each match.

    >>> text = "총무과 02-000-1234"
    >>> line = Match(4, 15, "phone", 0.9, "grouped")
    >>> filter_official(text, [line], ())[0].why, filter_official(text, [line], ("desk-line",))
    ('grouped; desk line of an institution', [])
    """
    names = [f.start for f in found if f.kind == "name"]
    types = [_classify_official(text, item, names) for item in found]
    kept = []
    for at, item in enumerate(found):
        official = types[at]
        if item.kind == "postcode":  # it is of the type of the address directly before or behind it
            official = None
            for left, right, other in ((at - 1, at, at - 1), (at, at + 1, at + 1)):
                if left < 0 or right == len(found) or found[other].kind != "address":
                    continue
                if not text[found[left].end : found[right].start].strip(_TIES):
                    official = types[other]
                    break
        if official is None:
            kept.append(item)
        elif official not in keep:
            kept.append(replace(item, why=f"{item.why}; {_SAYS[official]}"))
    return kept


def _classify_official(text: str, item: Match, names: Sequence[int]) -> Official | None:
    candidate = Candidate(text, item.start, item.end)
    if item.kind == "phone" and not is_land_line(candidate):
        return None
    for row, rule in read_rows().get(item.kind, ()):
        if rule.judge(candidate) is None:
            continue
        if not row.name_reach:
            return row.official
        first, last = max(0, item.start - row.name_reach), item.end + row.name_reach
        if row.name_line:
            first += len(text[first : item.start].rpartition("\n")[0])
            last = item.end + len(text[item.end : last].partition("\n")[0])
        at = bisect_left(names, first)
        if at == len(names) or names[at] >= last:  # no name of a person is near
            return row.official
    return None


def is_land_line(candidate: Candidate) -> bool:
    """Whether a telephone number with its area code, in digits, is not a mobile or 050x number."""
    digits = candidate.digits.removeprefix("00")
    digits = "0" + digits[2:].lstrip("0") if digits.startswith("82") else digits
    return digits.startswith("0") and len(digits) >= 9 and not digits.startswith(_MOBILE)
