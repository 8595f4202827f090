"""Tables of members in audit/: the sorted leaves with their documents, and a sketch of each document's text.

`members` has a row for each leaf, `sketches` a row for each document. Documents are numbered in the order of data/: by
path of the file, then by row. Both tables depend on data/ alone, so the order of inputs leaves no trace.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.errors import CallError
from malmoi.release_files import audit_file, data_files
from malmoi.releases.exposed_pages import is_digest_id
from malmoi.releases.manifest import Manifest, ReleaseFile, merkle
from malmoi.releases.membership.leaves import make_leaf, make_salt, normalise_address
from malmoi.releases.membership.merkle_paths import BLOCK, commit, find_path, find_root
from malmoi.releases.membership.sorted_leaves import Rows, make_rows, sort_leaves
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import shard
from malmoi.storage.shuffle import Run, name_task

Sketch: TypeAlias = Callable[[Sequence[str]], bytes]  # SKETCH_BYTES of each text, joined; picklable
SKETCH_BYTES = 64
MEMBERS, SKETCHES = "members", "sketches"
_NODES = b"nodes"  # metadata of `members`: the roots of its blocks, hex
_ROWS = 4096  # documents read at once


@dataclass(frozen=True, slots=True)
class Reading:
    """A task: a file of data/, the salt, the function that sketches texts, and sketches by `text_sha256`."""

    path: Path
    salt: bytes
    sketch: Sketch | None
    known: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """The content of a file: its leaves, joined, the row of each; its sketches, joined; its number of rows."""

    leaves: bytes
    rows: list[int]
    sketches: bytes
    count: int


def write(
    folder: Path,
    files: Sequence[ReleaseFile],
    sketch: Sketch | None,
    run: Run = map,
    *,
    earlier: Path | None = None,
    made: Mapping[str, bytes] | None = None,
) -> tuple[list[ReleaseFile], str]:
    """Write both tables of a release whose data/ is finished; return their files and the commitment (hex).

    A file takes the sketches of its texts from `made` (path → those of its rows, joined) if it is there, or from the
    release `earlier` if that has all of them: a patch release reads no text. Without any of these and `sketch` the
    table `sketches` is empty, and near copies are not found.
    """
    known = {} if earlier is None else _read_known_sketches(earlier)
    salt, held = find_salt(files), made or {}
    paths = data_files(folder)
    here = [held.get(path.relative_to(folder).as_posix()) for path in paths]
    readings = [Reading(path, salt, None if one else sketch, known) for path, one in zip(paths, here, strict=True)]
    read = [
        replace(one, sketches=has) if has else one for one, has in zip(run(_read_file, readings), here, strict=True)
    ]
    blocks = list(sort_leaves(_number_rows(read), sum(len(one.rows) for one in read)))
    roots = list(map(_find_root, blocks))
    schema = AUDIT[MEMBERS].with_metadata({_NODES: b"".join(roots).hex()})
    table = pa.concat_tables([_to_table(block).cast(schema) for block in blocks])
    written = [_write_table(folder, MEMBERS, table)]
    sketches = _to_array(b"".join(one.sketches for one in read), SKETCH_BYTES)
    written.append(_write_table(folder, SKETCHES, pa.table([sketches], schema=AUDIT[SKETCHES])))
    return written, commit(salt, table.num_rows, find_root(roots))


def find_salt(files: Sequence[ReleaseFile]) -> bytes:
    """Return the salt of a release from the files of its manifest."""
    return make_salt(merkle(file for file in files if file.path.startswith("data/")))


def find_faults(folder: Path, made: Manifest) -> Iterator[tuple[str, str]]:
    """Compute the leaves again from data/; yield (file, message) for each difference."""
    salt, roots, count, differs = find_salt(made.files), list[bytes](), 0, False
    read = (_read_file(Reading(path, salt, None)) for path in data_files(folder))
    with pq.ParquetFile(audit_file(folder, MEMBERS)) as held:
        for number, block in enumerate(sort_leaves(_number_rows(read), 2 * made.documents)):
            differs = differs or number >= held.num_row_groups or held.read_row_group(number) != _to_table(block)
            roots.append(_find_root(block))
            count += len(block)
        nodes = (held.schema_arrow.metadata or {}).get(_NODES)
        differs = differs or held.metadata.num_rows != count
    if differs:
        yield f"audit/{MEMBERS}.parquet", "its leaves are not those of the addresses and texts in data/"
    if nodes != b"".join(roots).hex().encode():
        yield f"audit/{MEMBERS}.parquet", "its inner nodes are not those of its leaves"
    if commit(salt, count, find_root(roots)) != made.members:
        yield "manifest.json", f"members is {made.members!r}; the leaves give another commitment"
    with pq.ParquetFile(audit_file(folder, SKETCHES)) as file:
        if file.metadata.num_rows not in (0, made.documents):
            yield f"audit/{SKETCHES}.parquet", f"{file.metadata.num_rows} rows for {made.documents} documents"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the tree with its place and its path to the root."""

    index: int
    digest: bytes
    path: tuple[bytes, ...]


class Members:
    """The tree of members of one release, read by block."""

    def __init__(self, folder: Path, made: Manifest) -> None:
        path = audit_file(folder, MEMBERS)
        if not made.members or not path.is_file():
            raise CallError(f"{folder}: has no {path.name}, as every release since schema version 6; publish it again.")
        self._file = pq.ParquetFile(path)
        meta = self._file.metadata
        nodes = bytes.fromhex((self._file.schema_arrow.metadata or {}).get(_NODES, b"").decode())
        self._blocks = [nodes[at : at + 32] for at in range(0, len(nodes), 32)]
        self._last = [meta.row_group(i).column(0).statistics.max for i in range(meta.num_row_groups)]
        self.salt, self.count = find_salt(made.files), meta.num_rows

    def find(self, leaf: bytes) -> tuple[list[int], int]:
        """Return the documents with this leaf, and the index of the first leaf that is not below it."""
        block = bisect_left(self._last, leaf)
        if block == len(self._last):
            return [], self.count
        leaves, documents = self._read(block)
        at = bisect_left(leaves, leaf)
        index, found = block * BLOCK + at, []
        while at < len(leaves) and leaves[at] == leaf:
            found.append(documents[at])
            at += 1
        return found, index

    def prove(self, index: int) -> Leaf:
        """Return the leaf at `index` with its path."""
        block, at = divmod(index, BLOCK)
        leaves, _ = self._read(block)
        return Leaf(index, leaves[at], (*find_path(leaves, at), *find_path(self._blocks, block)))

    def _read(self, block: int) -> tuple[list[bytes], list[int]]:
        table = self._file.read_row_group(block)
        return table.column("leaf").to_pylist(), table.column("document").to_pylist()


def read_sketches(folder: Path) -> npt.NDArray[np.uint8]:
    """Return the sketches of all documents, shape (documents, SKETCH_BYTES); shape (0, …) if the release has none."""
    column = shard.read(audit_file(folder, SKETCHES)).column(0).combine_chunks()
    flat = np.frombuffer(column.buffers()[1] or b"", np.uint8)
    return flat[: len(column) * SKETCH_BYTES].reshape(-1, SKETCH_BYTES)


def _read_known_sketches(release: Path) -> dict[str, bytes]:
    """Return text_sha256 → sketch of the documents of a finished release."""
    files = (pq.ParquetFile(path) for path in data_files(release))
    digests = [digest for file in files for digest in file.read(["text_sha256"]).column(0).to_pylist()]
    return dict(zip(digests, shard.read(audit_file(release, SKETCHES)).column(0).to_pylist(), strict=False))


@name_task("hash rows of release shards")
def _read_file(work: Reading) -> Read:
    leaves, rows, sketches, count = list[bytes](), list[int](), list[bytes](), 0
    with pq.ParquetFile(work.path) as file:
        digests = file.read(["text_sha256"]).column(0).to_pylist() if work.known else []
        is_known = bool(digests) and work.known.keys() >= set(digests)
        sketch = None if is_known else work.sketch
        if is_known:
            sketches = [work.known[digest] for digest in digests]
        columns = ["id", "url", "text_sha256", *(["text"] if sketch else [])]
        for batch in file.iter_batches(_ROWS, columns=columns):
            for id, url, digest in zip(*(batch.column(n).to_pylist() for n in columns[:3]), strict=True):
                if url and not is_digest_id(id):  # such a page must not be found by its address
                    leaves.append(make_leaf(work.salt, "url", normalise_address(url)))
                    rows.append(count)
                leaves.append(make_leaf(work.salt, "text", digest))
                rows.append(count)
                count += 1
            if sketch:
                sketches.append(sketch(batch.column("text").to_pylist()))
    return Read(b"".join(leaves), rows, b"".join(sketches), count)


def _number_rows(read: Iterable[Read]) -> Iterator[Rows]:
    """Yield the rows of each file; its documents are numbered after those of the file before."""
    start = 0
    for one in read:
        yield make_rows(one.leaves, np.array(one.rows, np.int64) + start)
        start += one.count


def _find_root(block: Rows) -> bytes:
    leaves = np.ascontiguousarray(block["leaf"]).tobytes()
    return find_root([leaves[at : at + 32] for at in range(0, len(leaves), 32)])


def _to_table(block: Rows) -> pa.Table:
    leaves = _to_array(np.ascontiguousarray(block["leaf"]).tobytes(), 32)
    return pa.table([leaves, np.ascontiguousarray(block["document"])], schema=AUDIT[MEMBERS])


def _to_array(joined: bytes, size: int) -> pa.FixedSizeBinaryArray:
    return pa.Array.from_buffers(pa.binary(size), len(joined) // size, [None, pa.py_buffer(joined)])


def _write_table(folder: Path, name: str, table: pa.Table) -> ReleaseFile:
    """Write random bytes as they are: they neither compress nor repeat."""
    path = audit_file(folder, name)
    pq.write_table(table, path, compression="none", use_dictionary=False, row_group_size=BLOCK)
    file = shard.file_of(path, table.num_rows)
    return ReleaseFile(f"audit/{file.name}", file.sha256, file.bytes, file.rows)
