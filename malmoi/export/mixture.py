"""Choose documents for a token budget: shares of domains, each a sample, in a seeded order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from malmoi.errors import CallError
from malmoi.export.selection import Rows
from malmoi.export.token_counts import Counts

REST = "general"  # the part with the documents that no other part names
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mixture: a domain, perhaps of one licence family, and its share of the tokens, 0–1."""

    domain: str
    family: str
    weight: float

    @property
    def name(self) -> str:
        """The part as it is written in --mix."""
        return f"{self.domain}@{self.family}" if self.family else self.domain


@dataclass(frozen=True, slots=True)
class Filled:
    """Result of filling one part, in tokens and documents, repeats included.

    `available` counts the tokens of its documents once; `shortfall` is what they cannot give even with all repeats.
    """

    name: str
    weight: float
    asked: int
    available: int
    shortfall: int
    tokens: int
    documents: int
    epochs: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen documents in their final order: numbers of rows, and which repeat of the row each is, from 0."""

    row: Numbers
    epoch: Numbers
    parts: tuple[Filled, ...] = ()


def parse_tokens(text: str) -> int:
    """Return a number of tokens.

    >>> parse_tokens("1B"), parse_tokens("2.5M"), parse_tokens("40_000")
    (1000000000, 2500000, 40000)
    """
    match = re.fullmatch(r"([0-9_.]+)([KMBT]?)", text.upper())
    try:
        found = int(Decimal(match[1].replace("_", "")) * _UNITS[match[2]]) if match else 0
    except InvalidOperation:
        found = 0
    if found < 1:
        raise CallError(f"--tokens {text}: not a number of tokens; write one such as 500K, 20M or 1.5B.")
    return found


def parse_mix(text: str) -> tuple[Part, ...]:
    """Return the parts of a mixture; CallError if a part is unreadable, named twice, or the weights do not sum to 1.

    >>> parse_mix("general=0.7,semiconductor@open=0.3")[1]
    Part(domain='semiconductor', family='open', weight=0.3)
    """
    parts: list[Part] = []
    for written in text.split(","):
        match = re.fullmatch(r"([^=@\s]+)(?:@([a-z-]+))?=([0-9]*\.?[0-9]+)", written.strip())
        if match is None or not float(match[3]):
            raise CallError(f"--mix {written}: write DOMAIN=WEIGHT or DOMAIN@FAMILY=WEIGHT, such as law@open=0.3.")
        parts.append(Part(match[1], match[2] or "", float(match[3])))
    for i, one in enumerate(parts):
        for other in parts[:i]:
            if one.domain == other.domain and (one.family == other.family or not (one.family and other.family)):
                raise CallError(f"--mix names documents of {one.domain} twice; merge {other.name} and {one.name}.")
    total = sum(one.weight for one in parts)
    if abs(total - 1) > 1e-6:
        raise CallError(f"the weights of --mix sum to {total:g}, not to 1; correct them.")
    return tuple(parts)


def choose_all(rows: Rows, seed: int) -> Chosen:
    """Return every selected document once, in the seeded order."""
    every = np.arange(rows.table.num_rows)
    return _order(rows, every, np.zeros_like(every), seed)


def choose_mixture(
    rows: Rows, counts: Counts, budget: int, parts: Sequence[Part], seed: int, repeat: int = 1
) -> Chosen:
    """Return documents whose tokens fill `budget` by the weights of the parts, in the seeded order.

    Inside a part documents follow each other in the seeded order, so a part is a sample: models learn more from it than
    from the best documents by any score (docs/decisions/0022). A document is taken whole, and the first one that does
    not fit ends the part. A part may use its documents `repeat` times.
    """
    members = _members(rows, parts) if parts else [np.arange(rows.table.num_rows)]
    ranks = np.empty(rows.table.num_rows, np.int64)
    ranks[choose_all(rows, seed).row] = np.arange(rows.table.num_rows)
    taken, epochs, filled = [], [], []
    for part, member in zip(parts or (Part("all", "", 1.0),), members, strict=True):
        ranked = member[np.argsort(ranks[member], kind="stable")]
        asked = round(budget * part.weight)
        row, epoch = _fill(ranked, counts, asked, repeat)
        taken.append(row)
        epochs.append(epoch)
        available, got = int(counts[member].sum()), int(counts[row].sum())
        short, passes = max(0, asked - repeat * available), round(len(row) / len(member), 6)
        filled.append(Filled(part.name, part.weight, asked, available, short, got, len(row), passes))
    chosen = _order(rows, np.concatenate(taken), np.concatenate(epochs), seed)
    if not len(chosen.row):
        raise CallError(f"no document fits into a budget of {budget:,} tokens; raise --tokens.")
    return Chosen(chosen.row, chosen.epoch, tuple(filled))


def _members(rows: Rows, parts: Sequence[Part]) -> list[Numbers]:
    """Return the numbers of the rows of each part; CallError if a part has none."""
    domains, families = rows.table["domain"], rows.table["family"]
    every = np.ones(rows.table.num_rows, bool)
    in_family = {part: _is_equal(families, part.family) if part.family else every for part in parts}
    masks = {part: mask & _is_equal(domains, part.domain) for part, mask in in_family.items() if part.domain != REST}
    rest = ~np.logical_or.reduce([~every, *masks.values()])
    found = [np.flatnonzero(masks.get(part, in_family[part] & rest)) for part in parts]
    for part, member in zip(parts, found, strict=True):
        if not len(member):
            names = ", ".join(sorted(one for one in domains.unique().to_pylist() if one))
            raise CallError(
                f"--mix {part.name}: no selected document belongs to it; choose from the domains {names}, or {REST} "
                "for the documents that no other part names."
            )
    return found


def _is_equal(column: pa.ChunkedArray, value: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.equal(column, value).to_numpy(zero_copy_only=False), bool)


def _fill(ranked: Numbers, counts: Counts, asked: int, repeat: int) -> tuple[Numbers, Numbers]:
    sums = np.cumsum(counts[ranked])
    whole = min(repeat, asked // int(sums[-1])) if sums[-1] else 1
    left = asked - whole * int(sums[-1]) if whole < repeat else 0
    last = ranked[: np.searchsorted(sums, left, side="right")] if left else ranked[:0]
    row = np.concatenate([np.tile(ranked, whole), last])
    epoch = np.concatenate([np.repeat(np.arange(whole), len(ranked)), np.full(len(last), whole)])
    return row, epoch


def _order(rows: Rows, row: Numbers, epoch: Numbers, seed: int) -> Chosen:
    """Sort by a hash of seed, id and repeat: a mixture is uniform from its start, and stable when documents leave."""
    ids = rows.table["id"].to_pylist()
    keys = [_place(seed, int(e), ids[r]) for r, e in zip(row.tolist(), epoch.tolist(), strict=True)]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
    return Chosen(row[order], epoch[order])


def _place(seed: int, epoch: int, id: str) -> bytes:
    return hashlib.blake2b(f"{seed}\n{epoch}\n{id}".encode(), digest_size=16).digest()
