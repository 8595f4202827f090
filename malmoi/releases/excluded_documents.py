"""Exclude documents from a release: withdrawn ones (takedown), and quarantined ones.

A document is quarantined if the second detector finds personal data in it, if `verify` would state a fault of it, or if
it must not be published whatever the recipe let pass.

Finds that a person cleared as false alarms exclude nothing (cleared_finds.py). The ledger counts this step as a
separate stage after those of curation, so that in = kept + dropped + failed holds down to the rows of data/. Only the
operator sees what was found where, in a list next to the release, where each value is masked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from malmoi.erasure import tombstones
from malmoi.errors import CallError
from malmoi.ledger import Ledger
from malmoi.releases import cleared_finds, residue
from malmoi.releases.cleared_finds import Detail
from malmoi.releases.release_inputs import Redact
from malmoi.releases.release_schema import AUDIT
from malmoi.releases.residue import Find
from malmoi.releases.residue.digit_chains import Span
from malmoi.storage import shard
from malmoi.storage.atomic_files import replace_file

AROUND: Final = 40  # code points on each side that are shown
_REDACTED_AROUND: Final = 240  # code points on each side that are redacted: no value is cut where that decides
LONGEST: Final = 60  # code points of a masked value; the number of the others is written
OPEN, CLOSE = "⟦", "⟧"  # around the masked value
STAGE: Final = "6-release"
QUARANTINED: Final = ("second_look", "residual-personal-data")  # (filter, reason) as the audit tables name them
UNVERIFIED: Final = ("verify", "unverified")
WITHDRAWN: Final = (tombstones.NAME, tombstones.REASON)
RELEASE: Final = "release"  # as the filter of the reasons of published_rows.find_refusal
EXCLUDES: Final = ("quarantines", "stops")  # outcomes of a find that leave its document out
# Fields of a find in the operator's list: those of a document, then those of ListedFind.
_LISTED: Final = ("id", "source", "digest", "table", "column", "kind", "shape", "count", "context")
_DROPS: Final = pa.schema(
    [(name, pa.string()) for name in ("id", "source", "by", "reason")]
    + [("measured", pa.float64()), ("limit", pa.float64())]
)


class ExclusionRules(NamedTuple):
    """Rules for exclusion: kinds found anywhere, kinds found in what the card may show, and withdrawn ids."""

    kinds: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()


class Scanned(NamedTuple):
    """A table of published rows, or a part of it, and the finds of all kinds by row."""

    name: str
    table: pa.Table
    finds: Mapping[int, Sequence[Find]]


class ListedFind(NamedTuple):
    """A find as the operator's list has it: `context` is the text around it, with every value masked.

    What `verify` would state of a document is listed too: `table` is UNVERIFIED[0], `column` the check, `context` the
    fault.
    """

    table: str
    column: str
    kind: str
    shape: str  # malmoi/releases/residue/random_words.py; "": it can be cleared for its document only
    n: int
    context: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An excluded document: why, what was found, and its usage signals."""

    id: str
    source: str
    why: tuple[str, str]  # (filter, reason)
    digest: str = ""  # of text and finds (cleared_finds.digest_finds); a decision about the document names it
    finds: tuple[ListedFind, ...] = ()
    signals: tuple[tuple[str, str], ...] = ()  # (name, effect)


def exclusion_rules(does: Iterable[tuple[str, str]], withdrawn: Iterable[str]) -> ExclusionRules:
    """Return the rules for a release with the outcomes `does`.

    >>> exclusion_rules([("rrn", "quarantines"), ("phone", "reports"), ("ip", "kept")], ["a/1"]).shown == {"rrn",
    ...  "phone"}
    True
    """
    said = dict(does)
    kinds = frozenset(kind for kind, outcome in said.items() if outcome in EXCLUDES)
    return ExclusionRules(kinds, frozenset(k for k, outcome in said.items() if outcome != "kept"), frozenset(withdrawn))


def choose_finds(places: Iterable[Scanned], sought: ExclusionRules) -> dict[str, list[Detail]]:
    """Return the finds of each document with one of the kinds that exclude it; each table has a column `id`."""
    found: dict[str, list[Detail]] = {}
    for name, table, rows in places:
        shown = table.slice(0, 0)
        if name == "data":  # ids, and hosts of addresses; numeric hosts are "", as the card does not show them
            urls = table.column("url").combine_chunks()
            hosts = pc.struct_field(pc.extract_regex(urls, r"^[A-Za-z][A-Za-z0-9+.-]*://(?P<host>[^/?#]+)"), "host")
            is_number = pc.fill_null(pc.match_substring_regex(hosts, r"^[0-9.:\[\]]+$"), True)
            shown = pa.table({"id": table.column("id"), "host": pc.if_else(is_number, "", hosts)})
        hit = [row for row, finds in rows.items() if any(find.kind in sought.kinds for find in finds)]
        told = residue.finds_by_row(shown, sought.shown)
        for place, here, kinds, numbers in (
            (name, table, sought.kinds, hit),
            (cleared_finds.SHOWN, shown, sought.shown, told),
        ):
            for row in numbers:
                details = [Detail(place, one) for one in residue.locate(here.slice(row, 1), kinds)]
                found.setdefault(table["id"][row].as_py(), []).extend(details)
    return found


def list_finds(finds: Iterable[Detail], redact: Redact | None) -> tuple[ListedFind, ...]:
    """Return the finds of a document as the operator's list has them; equal ones are counted."""
    counts = Counter[tuple[str, str, str, str, str]]()
    for table, find in finds:
        context = mask_context(find.text, find.span, redact)
        counts[table, find.column, find.span.kind, find.shape, context] += 1
    return tuple(sorted(ListedFind(*place[:4], n, place[4]) for place, n in counts.items()))


def list_faults(faults: Iterable[tuple[str, str]]) -> tuple[ListedFind, ...]:
    """Return the faults (check, fault) of a document as the operator's list has them."""
    table, kind = UNVERIFIED
    return tuple(ListedFind(table, check, kind, "", 1, says) for check, says in sorted(set(faults)))


def mask_context(text: str, span: Span, redact: Redact | None = None) -> str:
    """Return the text around a find, with the value masked and other personal data replaced, in one line.

    All other finds of the second detector are masked too; `redact` replaces what the filters know.

    >>> text = "설정: SDK_KEY=NHN-Sdk-KEY-2 문의 010-0000-1234"
    >>> mask_context(text, Span("key", 12, 25))
    '설정: SDK_KEY=⟦AAA-Aaa-AAA-0⟧ 문의 000-0000-0000'
    """
    before = text[max(0, span.start - _REDACTED_AROUND) : span.start]
    after = text[span.end : span.end + _REDACTED_AROUND]
    before, after = (_mask_finds(part) if redact is None else redact(_mask_finds(part)) for part in (before, after))
    value = mask_value(text[span.start : span.end])
    shown = f"{before[-AROUND:]}{OPEN}{value}{CLOSE}{after[:AROUND]}"
    return " ".join("".join(c if c.isprintable() else " " for c in shown).split())


def mask_value(value: str) -> str:
    """Return the shape of a value: letters as a and A, digits as 0, Hangul as 가, other letters as 字.

    >>> mask_value("oW7-한글_９"), mask_value("a" * 100)[-5:]
    ('aA0-가가_0', 'a…+40')
    """
    masked = ""
    for c in value[:LONGEST]:
        if c.isdigit() or c.isnumeric():
            masked += "0"
        elif "가" <= c <= "힣" or "ㄱ" <= c <= "ㆎ" or "ᄀ" <= c <= "ᇿ":
            masked += "가"
        elif c.isalpha():
            masked += ("A" if c.isupper() else "a") if c.isascii() else "字"
        else:
            masked += c if c.isascii() and c.isprintable() else "·"
    return f"{masked}…+{len(value) - LONGEST}" if len(value) > LONGEST else masked


def _mask_finds(text: str) -> str:
    for span in residue.find_spans(text):
        text = f"{text[: span.start]}{mask_value(text[span.start : span.end])}{text[span.end :]}"
    return text


def find_excluded(ids: Sequence[str], sought: ExclusionRules) -> Iterator[str]:
    """Yield those of `ids` that a release must not name: withdrawn, or with a find of the second detector."""
    table = pa.table({"id": pa.array(ids, pa.string())})
    found = residue.finds_by_row(table, sought.shown) if sought.shown else {}
    for row, id in enumerate(table.column("id").to_pylist()):
        if row in found or id in sought.withdrawn:
            yield id


def blank_rows(table: pa.Table, kinds: Collection[str]) -> pa.Table:
    """Blank quote, place and record in rows about dropped documents where one of these has a find of `kinds`."""
    words = ["quote", "place", "record"]
    rows = pa.array(list(residue.finds_by_row(table.select(words), kinds)), pa.int64())
    if not len(rows):
        return table
    hit = pc.is_in(pa.array(range(table.num_rows), pa.int64()), value_set=rows)
    for name in words:
        column = pc.if_else(hit, "", table.column(name).combine_chunks())
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def ledger(kept: Mapping[str, int], out: Sequence[LeftOut]) -> Ledger:
    """Return the counts of the step: published and excluded documents of each source."""
    dropped = Counter((one.source, *one.why) for one in out)
    entered = Counter(kept)
    entered.update(one.source for one in out)
    return Ledger(STAGE, "", entered, kept, dropped)


def write(out: Sequence[LeftOut], names: Mapping[str, str], folder: Path) -> tuple[Path, Path]:
    """Write the audit rows of the excluded documents, under their `names` if these are masked: drops and signals."""
    folder.mkdir(parents=True)
    drops = [
        {"id": names.get(one.id, one.id), "source": one.source, "by": one.why[0], "reason": one.why[1]}
        | {"measured": float(sum(find.n for find in one.finds)) if one.finds else None, "limit": None}
        for one in out
    ]
    said: list[dict[str, Any]] = [
        {"id": names.get(one.id, one.id), "name": name, "effect": effect, "quote": "", "place": "", "record": ""}
        for one in out
        for name, effect in one.signals
    ]
    shard.write(pa.Table.from_pylist(drops, _DROPS), folder / "dropped.parquet")
    shard.write(pa.Table.from_pylist(said, AUDIT["signals"]), folder / "signals.parquet")
    return folder / "dropped.parquet", folder / "signals.parquet"


def write_list(out: Iterable[LeftOut], path: Path) -> None:
    """Write the operator's list: a JSON line for each find, with its masked context and how often it occurs; no value.

    The list is rewritten each time; without quarantined documents the file is removed.
    """
    rows = sorted((one.id, one.source, one.digest, *find) for one in out for find in one.finds)
    path.unlink(missing_ok=True)
    if rows:
        lines = [json.dumps(dict(zip(_LISTED, row, strict=True)), ensure_ascii=False) for row in rows]
        replace_file(path, "\n".join(lines) + "\n")


def summarise_list(path: Path) -> tuple[int, dict[str, int]]:
    """Return how many documents a list of `write_list` names, and in how many each kind was found; (0, {}) without a
    list.
    """
    rows = read_list(path)
    kinds = Counter(kind for _, kind in {(row["id"], row["kind"]) for row in rows})
    return len({row["id"] for row in rows}), dict(sorted(kinds.items()))


def read_list(path: Path) -> list[dict[str, Any]]:
    """Read a list of `write_list`; [] if it is missing. Raises CallError if it is unreadable."""
    if not path.exists():
        return []
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [{key: row[key] for key in _LISTED} for row in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise CallError(
            f"{path}: not readable as a list of quarantined documents. Delete it; the next release writes it again."
        ) from error
