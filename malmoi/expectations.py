"""Expectations of a recipe: what a release must be like to be published, the table `[expect]`.

Expectations change no document, so the digest of a recipe leaves them out. Every key may be left out; by default
only quarantined documents are limited. docs/recipes.md lists them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from malmoi.licensing.rights_decision import terms
from malmoi.parameter_bounds import Chars, Count, Share

LOW_HANGUL = 0.3  # share of Hangul among letters; a text below it is mostly code, tables or another language


def _check_order(found: tuple[float, float]) -> tuple[float, float]:
    if found[0] > found[1]:
        raise ValueError("a range is [least, most], and the first is greater")
    return found


def _check_licence(found: str) -> str:
    if terms(found) is None:
        raise ValueError("not a licence of the table in docs/rights.md")
    return found


Range: TypeAlias = Annotated[tuple[Share, Share], AfterValidator(_check_order)]  # least and most, both allowed
Licence: TypeAlias = Annotated[str, AfterValidator(_check_licence)]


class Expectations(BaseModel):
    """The table `[expect]`. Shares are 0–1 of the characters of the release, if nothing else is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_version: Annotated[int, Field(ge=0)] = 0  # 0: any
    min_documents: Count = 0
    min_characters: Chars = 0
    unique: tuple[Literal["id", "text_sha256"], ...] = ()  # columns without repeated values
    languages: tuple[str, ...] = ()  # allowed; (): any
    licences: tuple[Licence, ...] = ()  # allowed; (): any
    min_length: Chars = 0  # of the shortest document
    max_length: Chars | None = None  # of the longest document
    licence_share: dict[Licence, Range] = Field(default_factory=dict)
    source_share: dict[str, Range] = Field(default_factory=dict)
    domain_share: dict[str, Range] = Field(default_factory=dict)
    low_hangul_share: Range = (0.0, 1.0)  # in documents whose Hangul share is below LOW_HANGUL
    max_duplicate_share: Share = 1.0  # documents dropped as copies, among these and the published ones
    # Of the documents that came into the release. One in 100,000 simulated pages is quarantined; one alone is allowed.
    max_quarantined: Share = 0.001
    max_wrong_grants: Share = 1.0  # by `review`, else by the sample of the release; unsure ones count as wrong
    review: str = ""  # CSV with the columns id and verdict (right, wrong, unsure); a path from the recipe's folder


def merge_expectations(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the table of a recipe that extends another: its keys replace those of the base, also within tables.

    >>> merge_expectations({"unique": ["id"], "source_share": {"a": [0, 1]}}, {"source_share": {"b": [0, 1]}})
    {'unique': ['id'], 'source_share': {'a': [0, 1], 'b': [0, 1]}}
    """
    both = {key: base[key] | value for key, value in own.items() if isinstance(value, dict) and _is_table(base, key)}
    return base | own | both


def _is_table(table: dict[str, Any], key: str) -> bool:
    return isinstance(table.get(key), dict)
