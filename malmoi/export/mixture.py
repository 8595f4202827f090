"""Choose documents for a token budget: shares of domains, each a sample, in a seeded order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from malmoi.errors import CallError, DataError
from malmoi.export.selection import Rows
from malmoi.export.tokenizer import Counts

BUCKET = 128 << 20  # bytes of text that are sorted in memory at once
_MOST = 256  # buckets, each an open file
POSITION = "position"
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

    `weight` was asked for, `share` was written, both of the tokens of all parts, 0–1. `available` counts the tokens of
    its documents once; `shortfall` is `asked` less `tokens`.
    """

    name: str
    weight: float
    share: float
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
    from the best documents by any score (docs/decisions/0022). A document is taken whole; one that does not fit into
    what is left of its part is skipped. A part may use its documents `repeat` times.
    """
    members = _members(rows, parts) if parts else [np.arange(rows.table.num_rows)]
    ranks = np.empty(rows.table.num_rows, np.int64)
    ranks[choose_all(rows, seed).row] = np.arange(rows.table.num_rows)
    parts = parts or (Part("all", "", 1.0),)
    budgets = split_budget(budget, [part.weight for part in parts])
    filled = [
        _fill(member[np.argsort(ranks[member], kind="stable")], counts, asked, repeat)
        for member, asked in zip(members, budgets, strict=True)
    ]
    chosen = _order(
        rows, np.concatenate([row for row, _ in filled]), np.concatenate([epoch for _, epoch in filled]), seed
    )
    if not len(chosen.row):
        raise CallError(f"no document fits into a budget of {budget:,} tokens; raise --tokens.")
    total = int(counts[chosen.row].sum())
    results = []
    for part, member, asked, (row, _) in zip(parts, members, budgets, filled, strict=True):
        available, got, passes = int(counts[member].sum()), int(counts[row].sum()), round(len(row) / len(member), 6)
        share = round(got / total, 6) if total else 0.0
        results.append(Filled(part.name, part.weight, share, asked, available, asked - got, got, len(row), passes))
    return Chosen(chosen.row, chosen.epoch, tuple(results))


def split_budget(budget: int, weights: Sequence[float]) -> list[int]:
    """Share out whole tokens by the largest remainder, so that the parts sum to the budget; ties go to the first.

    >>> split_budget(100, [0.335, 0.335, 0.33]), split_budget(140, [0.7, 0.3])
    ([34, 33, 33], [98, 42])
    """
    written = [Fraction(str(one)) for one in weights]  # 0.7 is 7/10, not the nearest binary number
    exact = [budget * one / sum(written) for one in written]
    found = [int(one) for one in exact]
    for at in sorted(range(len(found)), key=lambda at: found[at] - exact[at])[: budget - sum(found)]:
        found[at] += 1
    return found


def _members(rows: Rows, parts: Sequence[Part]) -> list[Numbers]:
    """Return the numbers of the rows of each part; CallError if a part has none."""
    domains, families = rows.table["domain"], rows.table["family"]
    every = np.ones(rows.table.num_rows, bool)
    in_family = {part: _is_equal(families, part.family) if part.family else every for part in parts}
    masks = {part: mask & _is_equal(domains, part.domain) for part, mask in in_family.items() if part.domain != REST}
    rest = ~np.any([~every, *masks.values()], axis=0)
    found = [np.flatnonzero(masks.get(part, in_family[part] & rest)) for part in parts]
    for part, member in zip(parts, found, strict=True):
        if not len(member):
            names = ", ".join([*sorted(one for one in domains.unique().to_pylist() if one), REST])
            raise CallError(
                f"--mix {part.name}: no selected document belongs to it; choose from {names} ({REST}: the documents "
                "that no other part names). The selected licence families are "
                f"{', '.join(sorted(families.unique().to_pylist()))}; --family selects others."
            )
    return found


def _is_equal(column: pa.ChunkedArray, value: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.equal(column, value).to_numpy(zero_copy_only=False), bool)


def _fill(ranked: Numbers, counts: Counts, asked: int, repeat: int) -> tuple[Numbers, Numbers]:
    """Return rows and their repeats: whole passes, then passes that skip what does not fit, until nothing fits."""
    total = int(counts[ranked].sum())
    whole = min(repeat, asked // total) if total else 1
    left = asked - whole * total
    rows, epochs = [np.tile(ranked, whole)], [np.repeat(np.arange(whole), len(ranked))]
    for epoch in range(whole, repeat):
        fitting = []
        for row, size in zip(ranked.tolist(), counts[ranked].tolist(), strict=True):
            if 0 < size <= left:
                fitting.append(row)
                left -= size
        if not fitting:
            break
        rows.append(np.array(fitting, np.int64))
        epochs.append(np.full(len(fitting), epoch))
    return np.concatenate(rows), np.concatenate(epochs)


def _order(rows: Rows, row: Numbers, epoch: Numbers, seed: int) -> Chosen:
    """Sort by a hash of seed, id and repeat: a mixture is uniform from its start, and stable when documents leave."""
    ids = rows.table["id"].to_pylist()
    keys = [_place(seed, int(e), ids[r]) for r, e in zip(row.tolist(), epoch.tolist(), strict=True)]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
    return Chosen(row[order], epoch[order])


def _place(seed: int, epoch: int, id: str) -> bytes:
    return hashlib.blake2b(f"{seed}\n{epoch}\n{id}".encode(), digest_size=16).digest()


def read_in_order(
    rows: Rows, chosen: Chosen, columns: Sequence[str], scratch: Path, bucket: int = BUCKET
) -> Iterator[pa.Table]:
    """Yield tables that, joined, are the chosen rows in their order, with `columns` and `position`.

    `scratch` is an existing folder for temporary files. DataError if the release changes in the meantime.
    """
    sizes = np.cumsum(rows.table["n_bytes"].to_numpy()[chosen.row])
    part = np.minimum(sizes, sizes[-1] - 1) // max(bucket, -(-int(sizes[-1]) // _MOST))
    part = np.maximum(part, 0)
    files = [scratch / f"bucket-{n:03}.arrow" for n in range(int(part[-1]) + 1)]
    _scatter(rows, chosen, part, columns, files)
    for path in files:
        with pa.ipc.open_file(pa.memory_map(str(path))) as file:
            yield file.read_all().sort_by(POSITION)
        path.unlink()


def _scatter(rows: Rows, chosen: Chosen, part: Numbers, columns: Sequence[str], files: Sequence[Path]) -> None:
    """Write each chosen row to the file of its part, once for each of its positions."""
    positions = np.argsort(chosen.row, kind="stable")
    wanted = chosen.row[positions]
    schema = pa.schema([*(rows.documents.schema.field(name) for name in columns), pa.field(POSITION, pa.int64())])
    at = 0
    with ExitStack() as stack:
        writers = [stack.enter_context(pa.ipc.new_file(str(path), schema)) for path in files]
        for batch in rows.scan(list(dict.fromkeys(("id", *columns)))):
            if not batch["id"].equals(rows.table["id"][at : at + len(batch)].combine_chunks()):
                raise DataError(f"{rows.release} changed while it was read. Run the same command again.")
            low, high = np.searchsorted(wanted, (at, at + len(batch)))
            here = positions[low:high]
            moved = pa.table(batch.select(columns)).take(pa.array(wanted[low:high] - at))
            moved = moved.append_column(POSITION, pa.array(here)).cast(schema)
            for number in np.unique(part[here]).tolist():
                writers[number].write_table(moved.filter(pa.array(part[here] == number)))
            at += len(batch)
    if at != rows.table.num_rows:
        raise DataError(f"{rows.release} changed while it was read. Run the same command again.")
