"""A small world for tests of the index: shards, a survey that remembers, and releases; nothing else of the corridor."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.duplicates.sketch import exact_digest, letters_of, signature
from flows import release as releases
from flows import release_index
from flows.engine import run_surveys, worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from malmoi.document import Document, Provenance
from malmoi.erasure import tombstones
from malmoi.ledger import Ledger
from malmoi.processes.workers import Workers
from malmoi.recipe import Recipe, Step, digest
from malmoi.releases import segments as leaving
from malmoi.releases.manifest import Manifest, ReleaseFile, merkle
from malmoi.releases.partitioning import h
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.version_history import next_version
from malmoi.storage import shard
from malmoi.survey import Segment, Survey, Surveyed
from malmoi.workspace import Workspace

LONG = "바다가 보이는 언덕에 등대가 서 있고, 등대지기는 저녁마다 계단을 세며 올라가 불을 켠다. "
MARKET = "장날이면 읍내 어귀부터 나물과 생선을 펼친 좌판이 늘어서고 흥정하는 소리가 골목을 채운다. "
SNOW = "첫눈이 내린 아침에 아이들은 대문을 열고 나와 발자국을 남기며 학교까지 길을 새로 낸다. "
OLD = {"ga/1": LONG * 12, "ga/2": MARKET * 12, "ga/3": SNOW * 12}
NEW = {"na/1": LONG * 12, "na/2": "강가에서는 " + MARKET * 9 + SNOW * 9}

SCHEMA = pa.schema(
    [("id", pa.string()), ("digest", pa.string()), ("letters", pa.int64()), ("signature", pa.binary(512))]
)
TABLE = pa.schema([("id", pa.string()), ("keeper", pa.string()), ("kind", pa.string()), ("similarity", pa.float64())])


def sketch(doc: Document) -> Mapping[str, Any]:
    return {
        "id": doc.id,
        "digest": exact_digest(doc.text),
        "letters": len(letters_of(doc.text)),
        "signature": signature(doc.text).astype("<u4").tobytes(),
    }


def exchange(
    shards: Sequence[Surveyed],
    segments: Sequence[Segment],
    folder: Path,
    run: Any,
    *,
    earlier: Literal["same", "all", "none"] = "same",
) -> list[Path]:
    """Exact copies only: what stands in a segment is kept, then the smaller id."""
    if not (folder / "table.parquet").exists():
        folder.mkdir(parents=True, exist_ok=True)
        sketches = (shard.read(s.sketch, SCHEMA.names) for s in shards)
        here = pa.concat_tables([SCHEMA.empty_table(), *sketches]).to_pylist()
        ids = {row["id"] for row in here}
        known: dict[str, str] = {}
        for segment in segments:
            for row in shard.read(segment.folder / "documents.parquet").to_pylist():
                if row["id"] not in segment.masked and row["id"] not in ids:
                    known.setdefault(row["digest"], row["id"])
        rows = []
        for row in sorted(here, key=lambda r: r["id"]):
            keeper = known.setdefault(row["digest"], row["id"])
            if keeper != row["id"]:
                rows.append({"id": row["id"], "keeper": keeper, "kind": "exact", "similarity": 1.0})
        said = [[s.folder.name, list(s.masked)] for s in segments]
        (folder / "read.json").write_text(json.dumps(said), encoding="utf-8")
        pq.write_table(pa.Table.from_pylist(rows, TABLE), folder / "table.parquet")
    return [folder / "table.parquet" for _ in shards]


SURVEY = Survey("copies", 7, SCHEMA, sketch, exchange=exchange, remembers=True)


class World:
    """A workspace with one recipe: `publish` surveys documents and publishes those that are no copies."""

    def __init__(self, root: Path, name: str = "small", earlier: str = "same", reader: str = "echo") -> None:
        self.workspace = Workspace.open(root)
        self.name = name
        self.step = Step(reader, "judge", 1, (("earlier", earlier),), "copies")
        self.recipe = Recipe(name, "시험", (), 2, (("clean", ()), ("judged", ()), ("curated", (self.step,))))

    def ledgers(self, texts: Mapping[str, str], cut: int = 3) -> tuple[Ledger, ...]:
        """Documents as finished shards of 4-judged, `cut` documents in each."""
        docs = [Document(id, text, Provenance(id.split("/")[0], "", "", "", "")) for id, text in texts.items()]
        return tuple(self._shard(docs[at : at + cut]) for at in range(0, len(docs), cut))

    def _shard(self, docs: list[Document]) -> Ledger:
        key = digest([[d.id, d.text] for d in docs])[:32]

        def fill(folder: Path) -> Ledger:
            file = shard.write(shard.to_table(docs), folder / "documents.parquet")
            counts: dict[str, int] = {}
            for doc in docs:
                counts[doc.provenance.source] = counts.get(doc.provenance.source, 0) + 1
            return Ledger("4-judged", key, counts, counts, {}, files=(file,))

        return self.workspace.ledger("4-judged", key) or self.workspace.commit("4-judged", key, fill)

    def survey(self, ledgers: Sequence[Ledger]) -> Path:
        """The folder of the survey's table."""
        args = (
            self.workspace,
            self.step,
            dict(self.step.params),
            "4-judged",
            ledgers,
            thread_mapper(1),
            Progress(quiet=True),
        )
        return run_surveys.survey(*args, release=self.name)[0].parent

    def publish(self, texts: Mapping[str, str], cut: int = 3, stop: str = "") -> str:
        """Survey, then publish what is no copy; the version, or "" where nothing is new.

        `stop` is where the run is killed: "segment" before it is written, "release" before the release stands.
        """
        ledgers = self.ledgers(texts, cut)
        copies = set(shard.read(self.survey(ledgers) / "table.parquet").column("id").to_pylist())
        with self.workspace.temporary_folder() as folder:
            made = self._release(folder, {id: texts[id] for id in sorted(set(texts) - copies)})
            history = releases.read_history(self.workspace)
            last = history.latest(self.name)
            new = last is None or last.root != made.root
            target = self.workspace.releases(self.name) / made.version
            if stop == "segment":
                return ""
            stages = (("2-documents", ()), ("3-clean", ()), ("4-judged", ledgers))
            run_surveys.write_segments(self.workspace, self.recipe, stages, folder if new else target)
            if new and stop != "release":
                self.workspace.move_into_place(folder, target)
        return made.version if new and not stop else ""

    def _release(self, folder: Path, texts: Mapping[str, str]) -> Manifest:
        path = folder / "data" / "redistribute" / "CC-BY-4.0" / "part-00000-of-00001.parquet"
        path.parent.mkdir(parents=True)
        sources, written = [id.split("/")[0] for id in texts], list(texts.values())
        pq.write_table(pa.table({"id": list(texts), "text": written, "source": sources}), path)
        files = (ReleaseFile(str(path.relative_to(folder)), shard.sha256_of(path), path.stat().st_size, len(texts)),)
        history = releases.read_history(self.workspace)
        version = next_version(history, self.name, merkle(files), schema_version=1, n_shards=1)
        made = Manifest(self.name, version, "", 1, "시험", self.name, "", 1, len(texts), (), (), files)
        (folder / "manifest.json").write_text(made.to_json(), encoding="utf-8")
        seal(folder)
        return made

    def segment(self, version: str) -> Path:
        """The folder of the segment that a version left."""
        (found,) = self.workspace.index("copies").glob(f"{self.name}/{version}-*")
        return found

    def rows(self, version: str) -> list[tuple[str, str]]:
        """(id, version) of the rows of a segment, in order."""
        table = shard.read(self.segment(version) / "documents.parquet")
        return list(zip(table.column("id").to_pylist(), table.column("version").to_pylist(), strict=True))

    def read(self, folder: Path) -> list[list[Any]]:
        """The segments that the survey `echo` read: name of the folder, masked ids."""
        found: list[list[Any]] = json.loads((folder / "read.json").read_text(encoding="utf-8"))
        return found


def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the survey of this file known as that of a filter `echo`, and let this process do the work of the pool."""
    module = ModuleType("filters.echo")
    module.SURVEY, module.VERSION = SURVEY, 1  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "filters.echo", module)
    monkeypatch.setattr(worker_pool, "workers", lambda: Workers(0))
    monkeypatch.setattr(release_index, "list_index_surveys", lambda: {"copies": SURVEY})


def bytes_of(folder: Path) -> dict[str, bytes]:
    """The content of each file in a folder."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def merge_as_before(workspace: Workspace, release: str, folders: Sequence[Path], *, sweep: bool = True) -> Path:
    """Merge segments (oldest first) as `malmoi index compact` did while there was one; the folder of the new one."""
    out = set(tombstones.read_ids(workspace.withdrawals))
    tables = [pq.read_table(folder / leaving.ROWS) for folder in folders]
    newest = {row["id"]: row for table in tables for row in table.to_pylist() if row["id"] not in out}
    rows = sorted(newest.values(), key=lambda row: (h(row["id"]), row["id"]))
    facts = [leaving.Facts.from_json((folder / leaving.FACTS).read_text(encoding="utf-8")) for folder in folders]
    names = {
        name for folder, one in zip(folders, facts, strict=True) for name in (f"{release}/{folder.name}", *one.replaces)
    }
    merged = replace(facts[-1], documents=len(rows), replaces=tuple(sorted(names)))
    target = folders[-1].parent / f"{merged.version}-{merged.root[: leaving.ROOT]}-{digest([merged.to_json()])[:8]}"
    with workspace.temporary_folder() as born:
        pq.write_table(pa.Table.from_pylist(rows, tables[0].schema), born / leaving.ROWS)
        (born / leaving.FACTS).write_text(merged.to_json(), encoding="utf-8")
        workspace.move_into_place(born, target)
    for folder in folders if sweep else ():
        shutil.rmtree(folder)
    return target


def known(workspace: Workspace) -> dict[str, tuple]:
    """What the index knows: of each id the newest row that counts and is not masked."""
    out = set(tombstones.read_ids(workspace.withdrawals))
    found = {}
    for one in leaving.select_counting(release_index.segments_by_survey(workspace)["copies"]):
        for row in pq.read_table(one.folder / leaving.ROWS).to_pylist():
            found[row["id"]] = tuple(row.values())
    return {id: row for id, row in found.items() if id not in out}
