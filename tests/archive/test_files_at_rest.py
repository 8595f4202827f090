"""A flipped bit in a file of a finished workspace is refused by name, or changes nothing of the release."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from flows import run as runs
from flows import status
from flows.console import SafeConsole
from flows.curate import curate
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from flows.release import _read_release_inputs, release
from flows.reports import crawl_report
from malmoi import __version__
from malmoi import recipe as recipes
from malmoi.errors import MalmoiError, StageError
from malmoi.ledger import Ledger
from malmoi.releases import manifest, segments, version_history
from malmoi.storage import checksummed_files, shuffle
from malmoi.workspace import Workspace
from tests.builders.small_papers import PAPERS, run, written

STAGES = ("2-documents", "3-clean", "4-judged", "5-curated")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Path, str]:
    root = tmp_path_factory.mktemp("rest")
    source, recipe = written(root, PAPERS)
    *_, made = run(source, recipe, root / "w")
    return source, recipe, root / "w", made.root


def remade(source: str, recipe_name: str, workspace: Path) -> str:
    """The root of a release made anew from what stands in the workspace."""
    home, recipe, quiet = Workspace.open(workspace), runs.recipe_of(recipe_name), Progress(quiet=True)
    (workspace / "6-releases/made-from.json").unlink(missing_ok=True)
    worker_pool.configure(0)
    try:
        curated = curate(home, recipe, (source,), executors.thread_mapper(1), quiet)
        return release(home, recipe, (source,), curated, executors.thread_mapper(1), quiet).root
    finally:
        worker_pool.configure(None)


@contextmanager
def flipped(path: Path, at: int, bit: int) -> Iterator[None]:
    """The file with one bit turned, and put back afterwards."""
    good = path.read_bytes()
    bad = bytearray(good)
    bad[at] ^= 1 << bit
    path.write_bytes(bad)
    try:
        yield
    finally:
        path.write_bytes(good)


def folders(workspace: Path) -> list[Path]:
    """Folders of stages and surveys with files in them."""
    found = [p for stage in STAGES for p in (workspace / stage).iterdir()]
    return found + [
        p for p in (workspace / "surveys").rglob("*") if p.is_dir() and any(q.is_file() for q in p.iterdir())
    ]


@pytest.mark.heavy
@pytest.mark.parametrize("places", [1, pytest.param(3, marks=pytest.mark.soak)])
def test_a_flipped_bit_anywhere_in_stages_and_surveys_is_named_or_changes_nothing(
    finished: tuple[str, str, Path, str], places: int
) -> None:
    source, recipe, workspace, root = finished
    files = sorted(p for folder in folders(workspace) for p in folder.iterdir() if p.is_file())
    drawn = random.Random(7)
    kinds: dict[tuple[str, str], list[Path]] = {}
    for path in files:
        kinds.setdefault((path.relative_to(workspace).parts[0], path.name), []).append(path)
    assert len(kinds) > 15
    named = 0
    for paths in kinds.values():  # of every sort of file some
        for path in drawn.sample(paths, min(2, len(paths))):
            for _ in range(places):
                name = path.relative_to(workspace)
                where = drawn.randrange(path.stat().st_size), drawn.randrange(8)
                with flipped(path, *where):
                    try:
                        assert remade(source, recipe, workspace) == root, (name, where)
                    except MalmoiError as error:
                        assert path.parent.name in str(error), (name, where, error)
                        named += 1
    assert named > 50 * places / 3


def test_every_field_of_a_ledger_is_held_by_its_digest(finished: tuple[str, str, Path, str], tmp_path: Path) -> None:
    _, _, workspace, _ = finished
    path = max(workspace.glob("[2-5]-*/*/ledger.json"), key=lambda p: (p.stat().st_size, p))
    text = path.read_text("utf-8")
    for number in re.finditer(r"\d", text):
        changed = text[: number.start()] + str((int(number[0]) + 1) % 10) + text[number.end() :]
        (tmp_path / "ledger.json").write_text(changed, "utf-8")
        with pytest.raises(StageError, match=r"ledger\.json: .*Delete .* and run again: it is created anew"):
            Ledger.read(tmp_path / "ledger.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"digest": 1}', b"[" * 100_000])
def test_what_is_no_ledger_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.json").write_bytes(content)
    with pytest.raises(StageError, match=r"ledger\.json: not a ledger.*Delete"):
        Ledger.read(tmp_path / "ledger.json")


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", ["ledger.json", "documents.parquet", "dropped.parquet"])
def test_the_remedy_works(finished: tuple[str, str, Path, str], tmp_path: Path, stage: str, name: str) -> None:
    source, recipe, whole, root = finished
    workspace = Path(shutil.copytree(whole, tmp_path / "w"))
    path = max((workspace / stage).glob(f"*/{name}"), key=lambda p: (p.stat().st_size, p))
    at = path.read_bytes().find(b'"edits"') if name == "ledger.json" else path.stat().st_size // 3
    with flipped(path, at + 1, 0), pytest.raises(MalmoiError, match=path.parent.name) as refused:
        remade(source, recipe, workspace)
    told = re.search(r"[Dd]elete (\S+?)(,| and run)", str(refused.value))
    assert told, refused.value
    path.write_bytes(path.read_bytes()[::-1])
    shutil.rmtree(told[1])
    assert remade(source, recipe, workspace) == root


def test_a_shard_is_not_made_from_a_damaged_one(finished: tuple[str, str, Path, str], tmp_path: Path) -> None:
    """Its key says what it was made from: it would stand for the whole one for good."""
    source, recipe, whole, root = finished
    workspace = Path(shutil.copytree(whole, tmp_path / "w"))
    given = sorted((workspace / "2-documents").glob("*/documents.parquet"))
    for path in given:
        shutil.rmtree(workspace / "3-clean")
        (workspace / "3-clean").mkdir()
        damaged = flipped(path, path.stat().st_size // 4, 3)
        with damaged, pytest.raises(StageError, match=r"documents\.parquet: its sha256 differs"):
            remade(source, recipe, workspace)
        assert len(list((workspace / "3-clean").iterdir())) < len(given)  # the others may be made, or not have begun
    assert remade(source, recipe, workspace) == root


def test_the_sums_of_a_folder_are_held_by_their_digest(tmp_path: Path) -> None:
    (tmp_path / "rows.bin").write_bytes(b"rows")
    checksummed_files.write(tmp_path)
    assert checksummed_files.check(tmp_path / "rows.bin") == tmp_path / "rows.bin"
    good = (tmp_path / checksummed_files.NAME).read_bytes()
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1
        (tmp_path / checksummed_files.NAME).write_bytes(bad)
        checksummed_files._check.cache_clear()
        try:
            checksummed_files.check(tmp_path / "rows.bin")
        except StageError as error:
            assert str(tmp_path) in str(error)
        else:
            assert bad.split() == good.split(), at  # white space says nothing


def test_a_file_that_the_sums_name_and_that_is_missing_is_named_with_the_folder_to_delete(tmp_path: Path) -> None:
    folder = tmp_path / "survey"
    folder.mkdir()
    for name in ("rows.parquet", "table.parquet"):
        (folder / name).write_bytes(b"rows")
    checksummed_files.write(folder)
    checksummed_files.check_folder(folder)
    (folder / "rows.parquet").unlink()
    with pytest.raises(StageError, match=r"rows\.parquet: missing; delete \S+/survey and run again: it is created"):
        checksummed_files.check_folder(folder)
    shutil.rmtree(folder)
    checksummed_files.check_folder(folder)


def test_a_piece_of_an_exchange_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    table = pa.table({"n": list(range(100)), "t": [str(n) if n % 7 else None for n in range(100)]})
    shuffle.write_partitions(table, np.arange(100) % 3, 3, path)
    before = [shuffle.read_piece(path, part).to_pylist() for part in range(3)]
    good = path.read_bytes()
    for at in range(0, len(good), 5):
        with flipped(path, at, at % 8):
            try:
                assert [shuffle.read_piece(path, part).to_pylist() for part in range(3)] == before, at
            except StageError as error:
                assert str(path) in str(error)


def test_a_workspace_of_an_older_version_goes_on(finished: tuple[str, str, Path, str], tmp_path: Path) -> None:
    """Its ledgers have no digest and other keys: nobody reads them, and status says so."""
    _, _, whole, _ = finished
    workspace = Path(shutil.copytree(whole, tmp_path / "w"))
    old = workspace / "3-clean" / ("0" * 32)
    old.mkdir()
    (old / "ledger.json").write_text('{"stage": "3-clean", "in": {}}\n', encoding="utf-8")
    said = SafeConsole(record=True, width=300)
    status.show(workspace, "general", (), said)
    assert "1 damaged shard not counted, the first: " in (text := said.export_text()) and "0" * 32 in text
    assert len(status.read_ledgers(Workspace.open(workspace), "3-clean")) == len(list((whole / "3-clean").iterdir()))


DEEP = "[" * 100_000
READERS = {
    "malmoi.json": Workspace.open,
    "releases.json": lambda root: version_history.read(root / "releases.json"),
    "manifest.json": lambda _: manifest.Manifest.from_json(DEEP),
    "segment.json": lambda _: segments.Facts.from_json(DEEP),
    "recipe.toml": lambda root: recipes.load(root / "recipe.toml"),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_nests_too_deeply_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(f"x = {DEEP[:5000]}" if name.endswith(".toml") else DEEP)
    with pytest.raises(MalmoiError, match=re.escape(name)):
        READERS[name](tmp_path)


@pytest.mark.parametrize("content", [DEEP, "[]", "null", '{"general": 1}', '{"general": ["1.0.0"]}', "{"])
def test_a_damaged_note_of_what_releases_were_made_from_counts_as_none(tmp_path: Path, content: str) -> None:
    workspace = Workspace.open(tmp_path / "w")
    workspace.inputs_record.parent.mkdir(exist_ok=True)
    workspace.inputs_record.write_text(content)
    assert _read_release_inputs(workspace) == {}


@pytest.mark.parametrize("sources", [DEEP, "1", "[1]", "[{}]", "[null]", '{"a": 1}'])
def test_a_damaged_report_of_collection_is_written_anew(tmp_path: Path, sources: str) -> None:
    workspace = Workspace.open(tmp_path / "w")
    (workspace.root / "reports").mkdir(exist_ok=True)
    (workspace.root / "reports/collection.json").write_text(f'{{"malmoi": "{__version__}", "sources": {sources}}}')
    assert "collection.html" in str(crawl_report.write(workspace, []))
