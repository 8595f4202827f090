"""The tree of members of a release: leaves, paths, its tables in audit/, and statements that answer from it.

    leaf = sha256(0x00 ‖ salt ‖ kind ‖ 0x00 ‖ key)                    kind is `url` or `text`
    node = sha256(0x01 ‖ left ‖ right)                                a node without a sibling moves up unchanged
    commitment = sha256(0x02 ‖ salt ‖ number of leaves ‖ root)        8 bytes, big endian

The key of an address is its normal form; the key of a text is the sha256 (hex) of its UTF-8, `text_sha256`. The
commitment fixes the salt too, so that a statement cannot use another one. Rows are hashed in blocks of BLOCK, a power
of two: the root of a block is a node of the whole tree, so a path needs one block and the roots of the others.

`members` has a row for each leaf, `sketches` a row for each document. Documents are numbered in the order of data/: by
path of the file, then by row. Both tables depend on data/ alone, so the order of inputs leaves no trace.

docs/check_statement.py computes the same leaf and checks statements without Malmoi; docs/was-my-work-used.md explains
them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final, Literal, TypeAlias
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.errors import CallError
from malmoi.release_files import audit_file, data_files
from malmoi.releases import dsse
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest, ReleaseFile, merkle
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import shard
from malmoi.storage.shard import sha256_of
from malmoi.storage.shuffle import Run, name_task
from malmoi.url_privacy import is_digest_id

Kind: TypeAlias = Literal["url", "text"]
_SESSION = re.compile(r";jsessionid=[^/;]*", re.I)
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")  # stays as it is: quoting takes long
_PLAIN_PART = re.compile(r"[A-Za-z0-9_.~/=-]*")  # of a query
_DEFAULT_PORT = re.compile(r":(80|443)?$")
BLOCK: Final = 1 << 16  # leaves
PART: Final = 1 << 20  # leaves that are sorted at a time
ROW: Final = np.dtype([("leaf", "u1", 32), ("document", "<i4")])  # packed: 36 bytes
Rows = npt.NDArray[np.void]
Sketch: TypeAlias = Callable[[Sequence[str]], bytes]  # SKETCH_BYTES of each text, joined; picklable
SKETCH_BYTES = 64
MEMBERS, SKETCHES = "members", "sketches"
_NODES = b"nodes"  # metadata of `members`: the roots of its blocks, hex
_ROWS = 4096  # documents read at once
PREDICATE = "urn:malmoi:contains:1"


def normalise_address(url: str) -> str:
    """Return the normal form of an address: spellings of one page have one key.

    Scheme, user, `www.`, default port, fragment, session id and last slash are removed; the host is lower case, what is
    escaped is the same in all spellings, and the parts of the query are sorted. Other schemes stay as they are.

    >>> normalise_address("HTTPS://www.A.kr:443/%ea%b0%80/?z=1&a=2#top")
    'a.kr/%EA%B0%80?a=2&z=1'
    >>> normalise_address("http://a.kr/가?a=2&z=1"), normalise_address("folder:a/x.csv#1")
    ('a.kr/%EA%B0%80?a=2&z=1', 'folder:a/x.csv#1')
    """
    scheme, mark, rest = normalize("NFC", url.strip()).partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        return scheme + mark + rest
    place, _, query = rest.partition("#")[0].partition("?")
    host, _, path = place.partition("/")
    host = _DEFAULT_PORT.sub("", host.rpartition("@")[2].lower()).removeprefix("www.")
    with suppress(UnicodeError):
        host = host if host.isascii() else host.encode("idna").decode()
    if not _PLAIN.fullmatch(path):
        path = quote(unquote_to_bytes(_SESSION.sub("", path)))
    path = path.rstrip("/")
    parts = (
        part if _PLAIN_PART.fullmatch(part) else quote(unquote_to_bytes(part), safe="/=")
        for part in query.split("&")
        if part
    )
    query = "&".join(sorted(parts))
    return f"{host}/{path}?{query}".rstrip("/?")


def make_leaf(salt: bytes, kind: Kind, key: str) -> bytes:
    """Return the leaf (32 bytes) of a key."""
    return hashlib.sha256(b"\x00" + salt + kind.encode() + b"\x00" + key.encode()).digest()


def make_salt(data_root: str) -> bytes:
    """Return the salt (32 bytes) of a release from the Merkle root (hex) over its files in data/.

    It differs between releases and is the same for equal data, so that equal releases have equal bytes.
    """
    return hashlib.sha256(b"malmoi members\n" + bytes.fromhex(data_root)).digest()


def find_salt(files: Sequence[ReleaseFile]) -> bytes:
    """Return the salt of a release from the files of its manifest."""
    return make_salt(merkle(file for file in files if file.path.startswith("data/")))


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
    known: dict[str, bytes] = {}  # text_sha256 → sketch
    if earlier is not None:
        tables = (shard.read_parquet(path, ["text_sha256"]) for path in data_files(earlier))
        digests = [digest for table in tables for digest in table[0].to_pylist()]
        known = dict(zip(digests, shard.read(audit_file(earlier, SKETCHES))[0].to_pylist(), strict=False))
    salt, held = find_salt(files), made or {}
    paths = data_files(folder)
    here = [held.get(path.relative_to(folder).as_posix()) for path in paths]
    readings = [Reading(path, salt, None if one else sketch, known) for path, one in zip(paths, here, strict=True)]
    read = [
        replace(one, sketches=has) if has else one for one, has in zip(run(_read_file, readings), here, strict=True)
    ]
    blocks = list(sort_leaves(_number_rows(read), sum(len(one.rows) for one in read)))
    roots = list(map(_find_block_root, blocks))
    schema = AUDIT[MEMBERS].with_metadata({_NODES: b"".join(roots).hex()})
    table = pa.concat_tables([_to_table(block).cast(schema) for block in blocks])
    written = [_write_table(folder, MEMBERS, table)]
    sketches = _to_array(b"".join(one.sketches for one in read), SKETCH_BYTES)
    written.append(_write_table(folder, SKETCHES, pa.table([sketches], schema=AUDIT[SKETCHES])))
    return written, commit(salt, table.num_rows, find_root(roots))


def read_sketches(folder: Path) -> npt.NDArray[np.uint8]:
    """Return the sketches of all documents, shape (documents, SKETCH_BYTES); shape (0, …) if the release has none."""
    column = shard.read(audit_file(folder, SKETCHES)).column(0).combine_chunks()
    flat = np.frombuffer(column.buffers()[1] or b"", np.uint8)
    return flat[: len(column) * SKETCH_BYTES].reshape(-1, SKETCH_BYTES)


def find_faults(folder: Path, made: Manifest) -> Iterator[tuple[str, str]]:
    """Compute the leaves again from data/; yield (file, message) for each difference."""
    salt, roots, count, differs = find_salt(made.files), list[bytes](), 0, False
    read = (_read_file(Reading(path, salt, None)) for path in data_files(folder))
    with pq.ParquetFile(audit_file(folder, MEMBERS)) as held:
        for number, block in enumerate(sort_leaves(_number_rows(read), 2 * made.documents)):
            differs = differs or number >= held.num_row_groups or held.read_row_group(number) != _to_table(block)
            roots.append(_find_block_root(block))
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


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one work: its kind and its key (`make_leaf`)."""

    kind: Kind
    key: str


def state_presence(
    folder: Path, members: Members, asked: Question, known: Question, documents: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the statement that the release holds `documents`, proven by the leaf of `known`.

    `known` is the question itself, or for a near copy the text of the first document.
    """
    _, index = members.find(make_leaf(members.salt, known.kind, known.key))
    proof = _spell(members.prove(index))
    return _state(folder, members, asked, {"answer": "yes", "documents": list(documents), "member": proof})


def state_absence(folder: Path, members: Members, asked: Question, compared: str) -> dict[str, Any]:
    """Return the statement that the release does not hold the work, with the two leaves between which it would be.

    `compared` says how near copies were sought; no proof covers that.
    """
    _, index = members.find(make_leaf(members.salt, asked.kind, asked.key))
    beside = {
        name: _spell(members.prove(at))
        for name, at in (("left", index - 1), ("right", index))
        if 0 <= at < members.count
    }
    return _state(folder, members, asked, {"answer": "no", "compared": compared, **beside})


def _state(folder: Path, members: Members, asked: Question, said: dict[str, Any]) -> dict[str, Any]:
    made: Manifest = manifests.read(folder)
    about = {"name": made.name, "version": made.version, "root": made.root}
    tree = {"root": made.members, "salt": members.salt.hex(), "leaves": members.count}
    said = {"question": {"kind": asked.kind, "key": asked.key}, **said}
    if made.publisher.contact:
        said["publisher"] = made.publisher.model_dump()
    subject = {manifests.NAME: sha256_of(folder / manifests.NAME)}
    return dsse.make_statement(subject, PREDICATE, {"release": about, "tree": tree, **said})


def _spell(leaf: Leaf) -> dict[str, Any]:
    path = base64.b64encode(b"".join(leaf.path)).decode()
    return {"index": leaf.index, "leaf": base64.b64encode(leaf.digest).decode(), "path": path}


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


def make_rows(leaves: bytes, documents: npt.NDArray[np.int64]) -> Rows:
    """Return joined leaves with the numbers of their documents, shape (leaves,)."""
    rows = np.empty(len(documents), ROW)
    rows["leaf"], rows["document"] = np.frombuffer(leaves, "u1").reshape(-1, 32), documents
    return rows


def sort_leaves(parts: Iterable[Rows], count: int) -> Iterator[Rows]:
    """Yield the rows of all parts, about `count`, sorted by leaf and document, in blocks of BLOCK rows."""
    bits = min(8, max(0, count // PART).bit_length())
    waiting = np.empty(0, ROW)
    with ExitStack() as stack:
        files = [stack.enter_context(TemporaryFile(prefix="malmoi-leaves-")) for _ in range(1 << bits)]
        for part in parts:
            first = part["leaf"][:, 0].astype(np.uint16) >> (8 - bits)
            for number in np.unique(first).tolist():
                files[number].write(part[first == number].tobytes())
        for file in files:
            file.seek(0)
            rows = np.frombuffer(file.read(), ROW)
            waiting = np.concatenate([waiting, rows[np.lexsort((rows["document"], *rows["leaf"].view(">u8").T[::-1]))]])
            for at in range(0, len(waiting) - BLOCK + 1, BLOCK):
                yield waiting[at : at + BLOCK]
            waiting = waiting[len(waiting) // BLOCK * BLOCK :]
    if len(waiting):
        yield waiting


def _find_block_root(block: Rows) -> bytes:
    leaves = np.ascontiguousarray(block["leaf"]).tobytes()
    return find_root([leaves[at : at + 32] for at in range(0, len(leaves), 32)])


def hash_pair(left: bytes, right: bytes) -> bytes:
    """Return the node above two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def find_root(nodes: Sequence[bytes]) -> bytes:
    """Return the root over nodes of one level, at least one."""
    while len(nodes) > 1:
        nodes = _reduce(nodes)
    return nodes[0]


def find_path(nodes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings of `nodes[index]` and of the nodes above it, from below.

    >>> a, b, c = (bytes([n]) * 32 for n in range(3))
    >>> find_path([a, b, c], 1) == [a, c], find_path([a, b, c], 2) == [hash_pair(a, b)]
    (True, True)
    """
    found = []
    while len(nodes) > 1:
        if (index ^ 1) < len(nodes):
            found.append(nodes[index ^ 1])
        nodes, index = _reduce(nodes), index >> 1
    return found


def commit(salt: bytes, count: int, root: bytes) -> str:
    """Return the commitment (hex) to salt, number of leaves and root."""
    return hashlib.sha256(b"\x02" + salt + count.to_bytes(8, "big") + root).hexdigest()


def _reduce(nodes: Sequence[bytes]) -> list[bytes]:
    above = [hash_pair(nodes[i], nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]
    return [*above, nodes[-1]] if len(nodes) % 2 else above


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
