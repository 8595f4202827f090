"""A run over an existing workspace ends with the bytes that a new workspace gets from the same captures."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawlers import host_templates, local_files
from filters import exact_duplicates
from filters.duplicates.duplicate_schema import TABLE
from flows import run as runs
from flows.collect import collect
from flows.curate import Curated, curate
from flows.engine import earlier_shards, executors, run_surveys, shard_jobs, worker_pool
from flows.engine.progress import Progress
from flows.release import release
from flows.reports import crawl_report, curation_report
from malmoi.archive import collection
from malmoi.archive.capture import warc_record
from malmoi.recipe import Recipe
from malmoi.storage import checksummed_files, shard
from malmoi.workspace import Workspace
from tests.builders import small_survey
from tests.builders.small_archive import prose

SOURCE = """
from pathlib import Path
from malmoi.source import LicenceClaim, LicenceRule, Source, Warc
SOURCE = Source(name="sites", title="여러 누리집", publisher="시험", access=Warc((Path({folder!r}),)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="SOURCE.txt"),), rule=LicenceRule(("licence-file",)))
"""
RECIPE = """
name = "sites"
purpose = "Tests of incremental runs."
shards = 2
clean = [{{ filter = "rights", uses = ["redistribute"] }}, {{ filter = "normalise" }},
  {{ filter = "host_furniture", min_pages = {min_pages}, min_share = 0.5 }},
  {{ filter = "length", min_chars = {min_chars} }}]
judged = [{{ filter = "exact_duplicates" }},
  {{ filter = "repeated_paragraphs", host_documents = {host_documents}, min_letters = 20, plain = 1.0 }},
  {{ filter = "personal_data" }}, {{ filter = "quarantine" }}]
curated = [{{ filter = "near_duplicates", threshold = {threshold}, earlier = "none" }}, {{ filter = "redact" }}]
"""
CHOICES = {"min_pages": (3, 5), "min_chars": (20, 120), "host_documents": (3, 5), "threshold": (0.6, 0.8)}
HOSTS = 3
PAGES = 30  # at the beginning
QUIET = Progress(quiet=True)


@dataclass
class Sites:
    """Pages of some hosts in archives that appear, change and disappear; and a recipe whose parameters change."""

    root: Path
    draw: random.Random
    removes: bool = False
    archives: dict[str, dict[str, bytes]] = field(default_factory=dict)  # name → URL → record
    params: dict[str, float] = field(default_factory=lambda: {name: values[0] for name, values in CHOICES.items()})
    clock: int = 0
    pages: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "SOURCE.txt").write_text("CC BY 4.0\n", encoding="utf-8")
        (self.root / "sites.py").write_text(SOURCE.format(folder=str(self.folder)), encoding="utf-8")
        self.add(PAGES)

    @property
    def folder(self) -> Path:
        return self.root / "archives"

    @property
    def source(self) -> str:
        return str(self.root / "sites.py")

    def add(self, count: int, urls: tuple[str, ...] = ()) -> None:
        """Write an archive with new pages, or with new answers for `urls`."""
        self.clock += 1
        new = [f"http://host{self.draw.randrange(HOSTS)}.example/{self.pages + n}.html" for n in range(count)]
        self.pages += count
        self._write(f"{self.clock:03}.warc", {url: self._record(url) for url in urls or new})

    def change(self) -> None:
        urls = self._urls()
        self.add(0, tuple(self.draw.sample(urls, min(3, len(urls)))))

    def remove(self) -> None:
        """Cut off an archive: the records that stay must stay where they are."""
        name = self.draw.choice(sorted(self.archives))
        pages = list(self.archives[name].items())
        left = dict(pages[: self.draw.randrange(len(pages))])
        if left or len(self.archives) > 1:  # a source without an archive is refused
            self._write(name, left)

    def tune(self) -> None:
        name = self.draw.choice(sorted(CHOICES))
        self.params[name] = self.draw.choice(CHOICES[name])

    def step(self) -> None:
        """Change something, or nothing."""
        kinds = [lambda: self.add(self.draw.randint(2, 9)), self.change, self.change, self.tune]
        for change in self.draw.sample([*kinds, self.remove] if self.removes else kinds, self.draw.randint(0, 2)):
            change()

    def recipe(self) -> Recipe:
        path = self.root / "sites.toml"
        path.write_text(RECIPE.format(**self.params), encoding="utf-8")
        return runs.recipe_of(str(path))

    def _urls(self) -> list[str]:
        return sorted({url for pages in self.archives.values() for url in pages})

    def _write(self, name: str, pages: dict[str, bytes]) -> None:
        self.archives[name] = pages
        if pages:
            (self.folder / name).write_bytes(b"".join(pages.values()))
        else:
            del self.archives[name]
            (self.folder / name).unlink()

    def _record(self, url: str) -> bytes:
        """A page: own prose, a copy of another page, or nearly one; some with a paragraph that others have too."""
        kind, seed = self.draw.random(), self.draw.randrange(8)
        more = f"<p>{prose(self.draw.randrange(1 << 30), 2)}</p>"
        text = prose(seed, 8) if kind > 0.5 else prose(self.draw.randrange(1 << 30), self.draw.randint(1, 8))
        if kind < 0.4:
            more += f"<p>이 글의 저작권은 {seed % 3}번 마을 사람들에게 있으며 함부로 옮길 수 없습니다.</p>"
        body = (
            f"<html><head><title>글</title></head><body><article><h1>이야기</h1><p>{text}</p>"
            f"{more if kind < 0.7 else ''}<p>{'가나다'[seed % 3]}마을 누리집에 문의하기</p></article></body></html>"
        )
        headers = (("Content-Type", "text/html; charset=utf-8"),)
        return warc_record(url, f"2026-01-01T00:{self.clock:02}:00Z", 200, headers, body.encode())


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Several shards although there are few pages, in this process."""
    monkeypatch.setattr(collection, "MEAN_ROWS", 6)
    worker_pool.configure(0)
    yield
    worker_pool.configure(None)


def curated(home: Workspace, sites: Sites) -> Curated:
    return curate(home, sites.recipe(), (sites.source,), executors.thread_mapper(1), QUIET)


def contents(home: Workspace, recipe: Recipe, source: str, done: Curated) -> list[Any]:
    """The bytes of all stages, of the tables of copies and of the reports."""
    stages = [
        (stage, one.files, one.entered, one.kept, one.dropped, one.failed, one.edits)
        for stage, ledgers in done.stages
        for one in ledgers
    ]
    crawl_report.refresh(home, (source,), QUIET, dict(done.read))
    pages = (curation_report.write(home, recipe, done), home.report("collection"))
    return [stages, *(path.read_bytes() for path in (*done.tables, *pages))]


def published(home: Workspace, sites: Sites, done: Curated) -> str:
    return release(home, sites.recipe(), (sites.source,), done, executors.thread_mapper(1), QUIET).root


def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, steps: int) -> None:
    """Compare after each step; pages disappear, or hosts have templates, whose sample a new workspace must find."""
    if seed % 2:
        monkeypatch.setattr(host_templates, "MIN_PAGES", 10)
    sites = Sites(tmp_path, random.Random(seed), removes=not seed % 2)
    home = Workspace.open(tmp_path / "w")
    for number in range(steps):
        if number:
            sites.step()
        collect(home, sites.source, QUIET)
        done = curated(home, sites)
        fresh = tmp_path / f"fresh-{number}"
        shutil.copytree(home.captures(""), Workspace.open(fresh).captures(""), ignore=shutil.ignore_patterns(".*"))
        other = Workspace.open(fresh)
        again = curated(other, sites)
        recipe = sites.recipe()
        mine, its = (contents(one, recipe, sites.source, of) for one, of in ((home, done), (other, again)))
        assert mine == its, f"seed {seed}, step {number}: the incremental run differs"
        if number == steps - 1:
            assert published(home, sites, done) == published(other, sites, again), f"seed {seed}: other root"
        shutil.rmtree(fresh)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in range(1, 4))])
def test_any_sequence_of_changes_ends_with_the_bytes_of_a_new_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    compare(tmp_path, monkeypatch, seed, steps=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_sequences_of_changes_end_with_the_bytes_of_a_new_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    compare(tmp_path, monkeypatch, seed, steps=6)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in range(1, 3))])
def test_the_same_documents_at_other_places_end_with_the_bytes_of_a_new_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    sites, home = Sites(tmp_path, random.Random(seed)), Workspace.open(tmp_path / "w")
    collect(home, sites.source, QUIET)
    curated(home, sites)
    before = sorted(home.surveys.glob("*"))
    files = [path for folder in before for path in sorted(folder.glob("*.parquet"))]
    cut = collection.cut_shards
    moved = [(f"other {seed} {place}", chunk) for place, chunk in cut(collection.runs(home.captures("sites")))]
    assert len(moved) > 2
    monkeypatch.setattr(collection, "cut_shards", lambda _: iter(moved))
    done = curated(home, sites)
    other = Workspace.open(tmp_path / "fresh")
    shutil.copytree(home.captures(""), other.captures(""), ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
    again, recipe = curated(other, sites), sites.recipe()
    assert [path for folder in before for path in sorted(folder.glob("*.parquet"))] == files  # a finished folder stays
    assert contents(home, recipe, sites.source, done) == contents(other, recipe, sites.source, again)


def test_a_run_with_nothing_new_reads_no_archive_and_runs_no_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites, home = Sites(tmp_path, random.Random(7)), Workspace.open(tmp_path / "w")
    collect(home, sites.source, QUIET)
    curated(home, sites)

    def refuse(*_: object) -> None:
        raise AssertionError("done again")

    monkeypatch.setattr(local_files.capture, "index", refuse)
    monkeypatch.setattr(shard_jobs, "extractor", refuse)
    monkeypatch.setattr(shard_jobs, "walk", refuse)
    assert collect(home, sites.source, QUIET).new == 0
    curated(home, sites)


def test_new_pages_are_the_only_ones_that_are_extracted_and_filtered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites, home = Sites(tmp_path, random.Random(8)), Workspace.open(tmp_path / "w")
    collect(home, sites.source, QUIET)
    curated(home, sites)
    sites.add(2)
    read: list[str] = []
    real = local_files.capture.index
    monkeypatch.setattr(
        local_files.capture,
        "index",
        lambda path, *given, **named: read.append(path.name) or real(path, *given, **named),
    )
    assert collect(home, sites.source, QUIET).new == 2
    assert read == ["002.warc"]
    extracted: list[str] = []
    make = shard_jobs.extractor

    def counting(extraction: Any) -> Any:
        one = make(extraction)
        return lambda row: extracted.append(row.url) or one(row)

    monkeypatch.setattr(shard_jobs, "extractor", counting)
    curated(home, sites)
    assert len(extracted) == 2


def random_row(draw: random.Random) -> dict[str, Any]:
    def word() -> str:
        return "가나다"[: draw.randrange(4)]

    trail = [{"by": word(), "limit": draw.choice([None, 0.0, 0.5])} for _ in range(draw.randrange(3))]
    layer = {"form": [word() for _ in range(draw.randrange(4))], "start": list(range(draw.randrange(4)))}
    return {
        "id": word(),
        "trail": draw.choice([None, trail]),
        "morphemes": draw.choice([None, layer]),
        "digest": draw.choice([None, b"0" * 16, draw.randbytes(16)]),
    }


def test_equal_rows_have_one_digest_in_every_table_and_other_rows_have_another() -> None:
    trail = pa.list_(pa.struct([("by", pa.string()), ("limit", pa.float64())]))
    layer = pa.struct([("form", pa.list_(pa.string())), ("start", pa.list_(pa.uint16()))])
    schema = pa.schema([("id", pa.string()), ("trail", trail), ("morphemes", layer), ("digest", pa.binary(16))])
    draw, known = random.Random(1), dict[str, str]()
    for count in [1, 1, 2, *(draw.randrange(40) for _ in range(60))]:
        table = pa.Table.from_pylist([random_row(draw) for _ in range(count)], schema)
        table = pa.concat_tables([table, table.slice(count // 3, 2)]).slice(draw.randrange(2))
        digests = earlier_shards.digest_rows(table)
        assert len(digests) == table.num_rows
        for row, found in zip(table.to_pylist(), digests, strict=True):
            assert known.setdefault(repr(row), found) == found
    assert len(set(known.values())) == len(known) > 500


def count_sketched(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Documents sent to be sketched, by filter."""
    counts, make = Counter[str](), shard_jobs.make_sketch_worker

    def counting(shared: Any) -> Any:
        one = make(shared)

        def batch(content: bytes) -> bytes:
            counts[shared[1]] += shard.unpack_table(content).num_rows
            return one(content)

        return batch

    monkeypatch.setattr(shard_jobs, "make_sketch_worker", counting)
    return counts


def test_a_changed_shard_is_sketched_for_its_new_documents_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites, home = Sites(tmp_path, random.Random(9)), Workspace.open(tmp_path / "w")
    collect(home, sites.source, QUIET)
    curated(home, sites)
    before, counts = home.survey_files(shard_jobs.SKETCH), count_sketched(monkeypatch)
    sites.params["min_chars"] = 120  # some documents are dropped; no other changes
    curated(home, sites)
    assert len(home.survey_files(shard_jobs.SKETCH)) > len(before)
    assert counts["exact_duplicates"] == 0


def sketch_job(home: Workspace, key: str, before: Path, earlier: str = "") -> shard_jobs.SketchJob:
    return shard_jobs.SketchJob(
        root=home.root, stage=None, key=key, earlier=earlier, before=before, filter="near_duplicates"
    )


@pytest.mark.parametrize("damage", ["changed", "missing", "of an earlier version"])
def test_a_sketch_that_cannot_be_reused_is_made_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    home, docs = Workspace.open(tmp_path / "w"), small_survey.corpus(texts=3)
    places = [tmp_path / "first", tmp_path / "second"]
    for place, some in zip(places, (docs[:-1], docs[1:]), strict=True):
        place.mkdir()
        shard.write(shard.to_table(some), place / "documents.parquet")
    first = sketch_job(home, "place-code-1", places[0])
    second = sketch_job(home, "place-code-2", places[1], first.key)
    alone = replace(second, key="place-code-3", earlier="")
    shard_jobs.sketch_shard(first)
    expected = shard_jobs.sketch_shard(alone).read_bytes()
    counts = count_sketched(monkeypatch)
    assert shard_jobs.sketch_shard(replace(second, key="place-code-4")).read_bytes() == expected
    assert counts.total() == 1
    if damage == "changed":
        first.target.write_bytes(first.target.read_bytes()[::-1])
    elif damage == "missing":
        first.target.unlink()
    else:
        pq.write_table(pq.read_table(first.target).drop_columns(["input"]), first.target)
        checksummed_files.write(first.target.parent)
    counts.clear()
    assert shard_jobs.sketch_shard(second).read_bytes() == expected
    assert counts.total() == len(docs) - 1


@pytest.mark.parametrize("damage", ["", "[", "{}", '{"columns": [], "pieces": {}, "digest": ""}'])
def test_a_damaged_record_of_slices_is_written_again(tmp_path: Path, damage: str) -> None:
    table, home = tmp_path / "table.parquet", Workspace.open(tmp_path / "w")
    survey, rows = exact_duplicates.SURVEY, [TABLE.empty_table()]
    first = run_surveys._cut_slices(home, survey, ["a"], table, rows)
    record = table.with_name(run_surveys.SLICES)
    said = record.read_bytes()
    assert run_surveys._cut_slices(home, survey, ["a"], table, ()) == first  # no row is read
    record.write_text(damage, encoding="utf-8")
    assert run_surveys._cut_slices(home, survey, ["a"], table, rows) == first
    assert record.read_bytes() == said
