"""Second, independent detector of personal data for a finished release; it reports counts only.

It classifies code points, and uses a state machine for runs of digits and the context of signs and words. It shares no
rule, table or expression with the filter that redacts, so that both do not have the same faults. It scans string
columns of Parquet files, and all text files. What follows from a find depends on its kind:

    stops        nothing is published until the find is cleared or mended
    quarantines  the document with the find is left out of the release, and counted
    reports      the find is counted on the card
    kept         the recipe keeps values of this kind; the find is counted on the card

For the reasons see docs/decisions/0010-the-second-detector-quarantines-documents.md.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from malmoi.releases.residue import digit_chains, signs_and_words
from malmoi.releases.residue.digit_chains import Span, chains, classes_of, codes_of, find_spelled_digits
from malmoi.releases.residue.random_words import find_shape

VERSION: Final = 3  # raise it with any change of detection: releases record the detector that scanned them
DETECTOR: Final = f"residue {VERSION}"
Outcome: TypeAlias = Literal["stops", "quarantines", "reports", "kept"]
ResidueChoice: TypeAlias = Literal["report", "quarantine", "stop"]  # what a recipe asks for
KINDS: Final = (  # of those in docs/personal-data.md
    "rrn", "frn", "passport", "driver_license", "health_insurance", "birth_date", "phone", "email", "address",
    "card", "account", "brn", "vehicle", "ip", "mac", "url_secret", "key",
)  # fmt: skip
# Legal identifiers, access to money, and secrets: they must not be published.
QUARANTINED: Final = ("rrn", "frn", "passport", "driver_license", "card", "account", "key")
ROWS: Final = 2_000  # rows of a Parquet column read at once
SHORT_ROWS: Final = 32_000  # of other columns than these
LONG: Final = ("text", "morphemes")
PIECE: Final = 1 << 20  # code points scanned together
# Separator between two values: no word, sign or number contains it, and no rule reads across it (signs_and_words.REACH
# is 80 code points). So each value is scanned independently, and each find is within one value.
APART: Final = "\n" + "\x1e" * 96 + "\n"
_HOST: Final = frozenset(string.ascii_letters + string.digits + "-")  # letters that continue a host name
_LOCAL: Final = _HOST | frozenset("._%+")  # letters of a mail address before the @
MANY: Final = 3  # documents named for a find
PARTED: Final = 8  # parts in which rows with a find are searched for it
DISTINCT: Final = ".tag"  # ending of the columns of which a batch counts each value once: counts of rows do not add up


def outcomes(replaced: Collection[str] = KINDS, choice: ResidueChoice = "report") -> tuple[tuple[str, Outcome], ...]:
    """Return the outcome of a find by kind, for a recipe that replaces the kinds `replaced`.

    `choice` is that of the recipe: "report" quarantines for the kinds QUARANTINED, "quarantine" for all, "stop" stops.

    >>> some = dict(outcomes(("rrn", "phone")))
    >>> some["rrn"], some["phone"], some["card"]
    ('quarantines', 'reports', 'kept')
    >>> dict(outcomes(("rrn", "phone"), "stop"))["phone"]
    'stops'
    """
    of_choice: dict[ResidueChoice, Outcome] = {"quarantine": "quarantines", "stop": "stops"}
    pairs: list[tuple[str, Outcome]] = []
    for kind in sorted(KINDS):
        of_kind: Outcome = "quarantines" if kind in QUARANTINED else "reports"
        pairs.append((kind, of_choice.get(choice, of_kind) if kind in replaced else "kept"))
    return tuple(pairs)


@dataclass(frozen=True, slots=True, order=True)
class Look:
    """The texts and finds of one place; `column` is "" for a text file and for a file's name.

    Contains neither a value nor an offset in the column: the report may be published.
    """

    file: str  # relative to the folder
    column: str
    values: int
    characters: int  # code points
    found: tuple[tuple[str, int], ...]  # (kind, count), sorted


class Find(NamedTuple):
    """Finds of one kind in one column of a row: neither a value nor an offset in the column."""

    column: str
    kind: str
    n: int


class Located(NamedTuple):
    """One find with the text that has it: in memory only, never written."""

    column: str
    span: Span
    shape: str  # "" if its value has none
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Residue:
    """Personal data left in one place: file, column, kind, count."""

    file: str
    column: str
    kind: str
    count: int


def look(folder: Path, name: str, public: str = "", ending: str = "") -> list[Look]:
    """Scan the file `name` of `folder` and its name: what was read and found in each string column.

    Of the columns, only those whose name ends with `ending`.
    Reads Parquet by batches of a column, so that memory does not grow with the file, and every other file as UTF-8.
    Placeholders and values that the policy keeps (numbers of companies, 15xx numbers) are not finds. Does not search
    for names, messenger handles, and addresses without a flat, which no sign marks. In a line of more than PIECE code
    points of a text file a find may be counted twice, but is never missed. `public` is a mail address that is
    no find in text files. Raises OSError and pyarrow.ArrowInvalid for an unreadable file: a scan that skips a file
    proves nothing.
    """
    path, tallies = folder / name, dict[str, _Tally]()
    if path.suffix == ".parquet":
        for column, texts in _columns(path, ending):
            if column.endswith(ending):
                tallies.setdefault(column, _Tally()).count_values(texts)
    else:
        for piece in _pieces(path):
            tallies.setdefault("", _Tally()).count_text(_remove_address(piece, public) if public else piece)
    tallies.setdefault("", _Tally()).count_text(name)
    return _list_looks(name, tallies)


def look_at_rows(table: pa.Table | pa.RecordBatch) -> list[Look]:
    """Scan the string columns of some rows of a file; the counts of parts of a file add up (`add_up`) to its own.

    Columns that end with DISTINCT are left out: their counts do not add up.
    """
    tallies = dict[str, _Tally]()
    for field in table.schema:
        size = ROWS if field.name in LONG else SHORT_ROWS
        for at in range(0, table.num_rows if _holds_strings(field.type) else 0, size):
            for column, texts in _strings(field.name, _flatten(table.column(field.name).slice(at, size))):
                if not column.endswith(DISTINCT):
                    tallies.setdefault(column, _Tally()).count_values(texts)
    return _list_looks("", tallies)


def add_up(file: str, looks: Iterable[Look]) -> list[Look]:
    """Return the sums of the counts by column, as those of `file`."""
    tallies = dict[str, _Tally]()
    for one in looks:
        tallies.setdefault(one.column, _Tally()).add(one)
    return _list_looks(file, tallies)


def _flatten(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _list_looks(file: str, read: Mapping[str, _Tally]) -> list[Look]:
    return [
        Look(file, column, one.values, one.characters, tuple(sorted(one.found.items())))
        for column, one in sorted(read.items())
    ]


def _remove_address(text: str, address: str) -> str:
    """Remove a mail address from a text, but not from inside a longer one.

    >>> _remove_address("rights@example.kr로, not-rights@example.kr", "rights@example.kr")
    '로, not-rights@example.kr'
    """
    first, *others = text.split(address)
    kept, before = [first], first[-1:]
    for piece in others:
        host = piece[1:2] if piece[:1] == "." else piece[:1]
        kept += [address if before in _LOCAL or host in _HOST else "", piece]
        before = piece[-1:]
    return "".join(kept)


class _Tally:
    """Running totals of what was read and found."""

    def __init__(self) -> None:
        self.values, self.characters, self.found = 0, 0, Counter[str]()

    def count_values(self, texts: pa.Array) -> None:
        self.values += len(texts) - texts.null_count
        self.characters += pc.sum(pc.utf8_length(texts)).as_py() or 0
        for text in _join_values(texts):
            self.found.update(kinds(text))

    def add(self, one: Look) -> None:
        self.values += one.values
        self.characters += one.characters
        if one.found:  # rare
            self.found.update(dict(one.found))

    def count_text(self, text: str) -> None:
        self.values += 1
        self.characters += len(text)
        self.found.update(kinds(text))


def finds_by_row(table: pa.Table, sought: Collection[str]) -> dict[int, tuple[Find, ...]]:
    """Return the finds of the kinds in `sought`, sorted, for each row that has one.

    Reads the columns as `look` reads those of the file that `table` is written to.

    >>> finds_by_row(pa.table({"title": ["차례", "문의 010-0000-1234"]}), ("phone",))
    {1: (Find(column='title', kind='phone', n=1),)}
    """
    found: dict[int, Counter[tuple[str, str]]] = {}
    for field in table.schema if sought else ():
        if _holds_strings(field.type):
            _add_finds(field.name, _flatten(table.column(field.name)), 0, sought, found)
    return _list_finds(found)


def locate(row: pa.Table, sought: Collection[str]) -> list[Located]:
    """Return each find of the kinds in `sought` in a table of one row: those that `finds_by_row` counts."""
    return [
        Located(part, span, find_shape(span.kind, text[span.start : span.end]), text)
        for field in row.schema
        if _holds_strings(field.type)
        for part, texts in _strings(field.name, _flatten(row.column(field.name)))
        for text in texts.to_pylist()
        for span in find_spans(text or "")
        if span.kind in sought
    ]


def look_by_group(
    table: pa.Table, groups: NDArray[np.int64], count: int
) -> tuple[list[list[Look]], dict[int, tuple[Find, ...]]]:
    """Return `look_at_rows` for each of `count` groups of rows, and `finds_by_row` for all kinds; one scan serves both.

    `groups` has the group of each row, shape (rows,).
    """
    read: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    found: dict[int, Counter[tuple[str, str]]] = {}
    for field in table.schema:
        size = ROWS if field.name in LONG else SHORT_ROWS
        for at in range(0, table.num_rows if _holds_strings(field.type) else 0, size):
            column, hit = _flatten(table.column(field.name).slice(at, size)), False
            for name, texts, rows in _strings_of_rows(field.name, column):
                hit = hit or any(kind for text in _join_values(texts) for kind in kinds(text))
                if not name.endswith(DISTINCT):
                    values, characters = read.setdefault(name, (np.zeros(count), np.zeros(count)))
                    here = groups[at + rows]
                    values += np.bincount(here, texts.is_valid(), count)
                    characters += np.bincount(here, pc.fill_null(pc.utf8_length(texts), 0), count)
            if hit:
                _add_finds(field.name, column, at, KINDS, found, is_hit=True)
    of_group: list[dict[str, Counter[str]]] = [{} for _ in range(count)]
    for row, counts in found.items():
        for (name, kind), n in counts.items():
            of_group[groups[row]].setdefault(name, Counter())[kind] += n
    looks = [
        [
            Look("", name, int(values[i]), int(characters[i]), tuple(sorted(of_group[i].get(name, {}).items())))
            for name, (values, characters) in sorted(read.items())
        ]
        for i in range(count)
    ]
    return looks, _list_finds(found)


def _strings_of_rows(name: str, column: pa.Array) -> Iterator[tuple[str, pa.Array, NDArray[np.int64]]]:
    """Yield what `_strings` yields, with the row of each value; of values that are counted once, no rows."""
    if pa.types.is_list(column.type) and not pa.types.is_string(column.type.value_type):
        rows = pc.list_parent_indices(column).to_numpy()
        for inner, texts in _strings(name, column):
            yield inner, texts, rows
    else:
        rows = np.arange(len(column))
        for inner, texts in _strings(name, column):
            yield inner, texts, rows[:0] if inner.endswith(DISTINCT) else rows


def _add_finds(
    name: str,
    column: pa.Array,
    first: int,
    sought: Collection[str],
    found: dict[int, Counter[tuple[str, str]]],
    *,
    is_hit: bool = False,
) -> None:
    """Add the finds in a column whose first row is row `first`; `is_hit`: it is known to have one.

    A column with a find is cut into PARTED parts, and so on down to the rows: a scan of many rows costs hardly more
    than that of one.
    """
    if len(column) == 1:
        for part, texts in _strings(name, column):
            for text in _join_values(texts):
                for kind in kinds(text):
                    if kind in sought:
                        found.setdefault(first, Counter())[part, kind] += 1
        return
    texts = (text for _, values in _strings(name, column) for text in _join_values(values))
    if is_hit or any(kind in sought for text in texts for kind in kinds(text)):
        step = -(-len(column) // PARTED)
        for at in range(0, len(column), step):
            _add_finds(name, column.slice(at, step), first + at, sought, found)


def _list_finds(found: Mapping[int, Counter[tuple[str, str]]]) -> dict[int, tuple[Find, ...]]:
    return {row: tuple(Find(*key, n) for key, n in sorted(counts.items())) for row, counts in sorted(found.items())}


def kinds(text: str) -> Iterator[str]:
    """Yield the kind of each find in one text, with repetitions.

    >>> list(kinds("문의 010-0000-1234, hong@example.kr"))
    ['phone', 'email']
    >>> list(kinds("문의 [전화번호1], 대표 1588-0000, 법인등록번호 000000-0000000"))
    []
    """
    for span in find_spans(text):
        yield span.kind


def find_spans(text: str) -> Iterator[Span]:
    """Yield each find in one text, with the code points of its value.

    >>> list(find_spans("문의 010-0000-1234"))
    [Span(kind='phone', start=3, end=16)]
    """
    if not text:
        return
    codes = codes_of(text)
    marks = classes_of(codes)
    for chain in chains(text, marks):
        yield from digit_chains.find_numbers(text, chain)
    for digits, start, end in find_spelled_digits(text, marks):
        if digits.startswith(digit_chains.MOBILE) and len(digits) in (10, 11):
            yield Span("phone", start, end)
    yield from signs_and_words.find_signs_and_words(text, codes, marks)


def find_documents(folder: Path, residue: Residue) -> list[str]:
    """Return the ids of the first documents with `residue`, at most MANY; [] if its file has no ids.

    If the id itself may contain a find or a long row of digits, which a label elsewhere may identify, the document is
    named by its archive record or by its row: messages must not show values.
    """
    path = folder / residue.file
    columns = pq.read_schema(path).names if path.suffix == ".parquet" else []
    if "id" not in columns:
        return []
    names: list[str] = []
    texts = (text for column, values in _columns(path) if column == residue.column for text in values)
    ids = zip(_values(path, "id"), _values(path, "record" if "record" in columns else "id"), strict=True)
    for row, ((id, record), text) in enumerate(zip(ids, texts, strict=False)):
        if text.as_py() and residue.kind in kinds(text.as_py()):
            plain = [
                name
                for name in (id, record)
                if name.startswith("urn:uuid:")
                or not (any(kinds(name)) or any(chains(name, classes_of(codes_of(name)))))
            ]
            names.append(plain[0] if plain else f"row {row}")
            if len(names) == MANY:
                break
    return names


def _columns(path: Path, ending: str = "") -> Iterator[tuple[str, pa.Array]]:
    """Yield (column, values) of a Parquet file, one batch of one column at a time; at least those with this ending."""
    meta = pq.read_metadata(path)
    leaves = (meta.schema.column(n).path for n in range(meta.num_columns))
    # Read a tenth as fast without dictionary; Arrow cannot read one in a list whose batch ends in another row group.
    repeated = [leaf for leaf in leaves if f"{DISTINCT}.list." in leaf and meta.num_row_groups == 1]
    with pq.ParquetFile(path, metadata=meta, read_dictionary=repeated) as file:
        for field in file.schema_arrow:
            columns = [field.name]
            if ending and pa.types.is_struct(field.type):
                columns = [f"{field.name}.{part.name}" for part in field.type]
            columns = [name for name in columns if name.endswith(ending)]
            if columns and _holds_strings(field.type):
                for batch in file.iter_batches(ROWS if field.name in LONG else SHORT_ROWS, columns=columns):
                    yield from _strings(field.name, batch.column(0))


def _values(path: Path, column: str) -> Iterator[str]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS, columns=[column]):
            yield from batch.column(0).to_pylist()


def _holds_strings(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_strings(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_holds_strings(field.type) for field in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _holds_strings(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _strings(name: str, column: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """Yield every string array inside a column, with its dotted name; the strings of a list are concatenated.

    This restores numbers that the morphological analysis split; where morphemes have offsets, words stay separate.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from _strings(name, column.dictionary_decode())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield name, column
    elif pa.types.is_struct(kind):
        placed = {"form", "start", "length"} <= {field.name for field in kind}
        for field in kind:
            if placed and field.name == "form":
                yield (
                    f"{name}.form",
                    _join_with_gaps(*(pc.struct_field(column, n) for n in ("form", "start", "length"))),
                )
            elif field.name == "tag" and pa.types.is_list(field.type):  # of morphemes: a few values, repeated
                tags = pc.unique(pc.struct_field(column, "tag").flatten())
                yield f"{name}{DISTINCT}", tags.dictionary_decode() if pa.types.is_dictionary(tags.type) else tags
            elif _holds_strings(field.type):
                yield from _strings(f"{name}.{field.name}", pc.struct_field(column, field.name))
    elif pa.types.is_string(kind.value_type):
        yield name, pc.binary_join(column, "")
    else:
        yield from _strings(name, pc.list_flatten(column))


def _join_with_gaps(forms: pa.ListArray, starts: pa.ListArray, lengths: pa.ListArray) -> pa.Array:
    """Concatenate the forms of each row, with a blank where the text between two forms is in neither."""
    begins, spans = (values.flatten().to_numpy().astype(np.int64) for values in (starts, lengths))
    flat = forms.flatten()
    if not len(flat) == len(begins) == len(spans):
        return pc.binary_join(forms, "")
    gaps = np.append([False], begins[1:] > begins[:-1] + spans[:-1])[: len(flat)]
    counts = pc.fill_null(pc.list_value_length(forms), 0).to_numpy()  # null counts as an empty list
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    gaps[offsets[offsets < len(flat)]] = False  # the end of a row
    parted = pc.binary_join_element_wise(pc.if_else(pa.array(gaps), " ", ""), flat, "")
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), parted), "")


def _join_values(values: pa.Array) -> Iterator[str]:
    """Yield the values of an array as texts of about PIECE code points, without splitting values."""
    part: list[str] = []
    size = 0
    for value in values.to_pylist():
        if value:
            part.append(value)
            size += len(value)
            if size >= PIECE:
                yield APART.join(part)
                part, size = [], 0
    if part:
        yield APART.join(part)


def _pieces(path: Path) -> Iterator[str]:
    """Yield a text file in pieces of complete lines; a line longer than a piece is split with an overlap."""
    overlap = 512
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        rest = ""
        while block := stream.read(PIECE):
            text = rest + block
            cut = text.rfind("\n") + 1
            if cut <= len(rest):
                yield text
                rest = text[-overlap:] if len(text) > overlap else ""
            else:
                yield text[:cut]
                rest = text[cut:]
        if rest:
            yield rest
