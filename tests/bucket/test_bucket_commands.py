"""Every command accepts s3://BUCKET/PREFIX for a workspace: the same release, on any machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from malmoi.storage import shard, working_copy
from malmoi.storage.bucket import Bucket
from malmoi.storage.location import locate
from malmoi.storage.on_demand import fetch
from malmoi.workspace_layout import STAGES, Layout
from tests.builders.small_corpus import make, malmoi_in_process, sums

Machine = Callable[[str], None]


def done(*arguments: object) -> str:
    ended = malmoi_in_process(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def files(root: Path) -> dict[str, bytes]:
    """What a copy and a folder have in common: no record, no lock, no reports with times."""
    found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    named = {path.relative_to(root).as_posix(): path for path in found}
    shown = {name: path for name, path in named.items() if not any(word.startswith(".") for word in name.split("/"))}
    return {name: path.read_bytes() for name, path in shown.items() if not name.startswith(("tmp/", "reports/"))}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path / "corpus", pages=12)


def run(source: Path, workspace: object) -> str:
    return done("run", "general", "--source", source, "--workspace", workspace, "--workers", "1")


@pytest.mark.heavy
def test_a_bucket_and_a_folder_give_the_same_release_and_the_same_files(
    source: Path, place: str, machine: Machine, bucket: Bucket, tmp_path: Path
) -> None:
    run(source, tmp_path / "w")
    run(source, place)
    copy = locate(place)
    assert sums(copy) == sums(tmp_path / "w")
    there = {one.path for one in bucket.list_objects()}
    assert there - {f"6-releases/general/{'latest'}"} >= {*files(copy)} and bucket.read("6-releases/general/latest")
    assert {*files(copy)} == {*files(tmp_path / "w")}


@pytest.mark.heavy
def test_another_machine_finds_everything_and_repeats_nothing(
    source: Path, place: str, machine: Machine, bucket: Bucket
) -> None:
    run(source, place)
    before = {one.path: one.tag for one in bucket.list_objects() if not one.path.startswith("reports/")}
    machine("two")
    release = f"{place}/6-releases/general/1.0.0"
    assert "release general 1.0.0" in done("status", "--workspace", place)
    assert f"{release} (read from the copy" in done("verify", release)
    data = next(Layout(locate(place)).releases("general/1.0.0").glob("data/**/*.parquet"))
    good, state, path = data.read_bytes(), data.stat(), data.relative_to(locate(place)).as_posix()
    data.write_bytes(good[::-1])
    os.utime(data, ns=(state.st_atime_ns, state.st_mtime_ns))  # as a disk spoils it
    assert "verified" in done("verify", release) and data.read_bytes() == good
    bucket.delete([path])
    for call in (("verify", release), ("run", "general", "--source", source, "--workspace", place, "--workers", "1")):
        ended = malmoi_in_process(*call)
        assert ended.returncode == 1 and release in ended.stderr and "current" not in ended.stdout, ended.stderr
        assert f"{path.removeprefix('6-releases/general/1.0.0/')}: missing" in ended.stdout + ended.stderr
    before[path] = bucket.create(path, good) or ""
    sums, _ = bucket.read("6-releases/general/1.0.0/SHA256SUMS") or (b"", "")
    bucket.delete(["6-releases/general/1.0.0/SHA256SUMS"])
    ended = malmoi_in_process("verify", release)
    assert ended.returncode == 1 and f"{release}/SHA256SUMS: the object is missing" in ended.stderr
    before["6-releases/general/1.0.0/SHA256SUMS"] = bucket.create("6-releases/general/1.0.0/SHA256SUMS", sums) or ""
    documents = Layout(locate(place)).stage_files("documents.parquet", "5-curated")
    assert documents
    again = run(source, place)
    assert "unchanged" in again or "nothing new" in again or "1.0.0" in again
    after = {one.path: one.tag for one in bucket.list_objects() if not one.path.startswith("reports/")}
    assert {path for path in after if after[path] != before.get(path)} <= {"6-releases/made-from.json"}
    assert not before.keys() - after.keys()


@pytest.mark.heavy
def test_what_is_erased_on_one_machine_is_gone_from_the_bucket_and_from_every_other_copy(
    source: Path, place: str, machine: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        patch.setattr(working_copy.WorkingCopy, "push", lambda *_: None)
        raise KeyboardInterrupt

    run(source, place)
    first = locate(place)
    machine("two")
    done("status", "--workspace", place)
    data = next(Layout(locate(place)).releases("general/1.0.0").glob("data/**/*.parquet"))
    fetch(data)
    erased = pq.read_table(data)["id"][0].as_py()
    assert erased in done("why", place, erased)
    assert erased in done("why", place, erased)
    call = ("erase", "general", "--workspace", place, "--id", erased, "--reason", "asked", "--request", "r-1")
    with monkeypatch.context() as patch:  # killed when the patch is in the bucket
        patch.setattr("flows.erase.purge", die)
        assert malmoi_in_process(*call).returncode == 3
    machine("three")
    ended = malmoi_in_process("status", "--workspace", place)
    assert f"`malmoi erase general --workspace {place}` continues it" in ended.stderr
    assert "the erasure from general that was stopped is complete" in malmoi_in_process(*call[:4]).stderr
    assert "old versions of objects" in done(*call)
    machine("one")
    done("status", "--workspace", place)
    assert not first.joinpath(".parts").exists()  # what the first machine kept of the release before
    for root in (first, locate(place)):
        for stage in STAGES:
            for path in Layout(root).stage_files("documents.parquet", stage):
                assert erased not in shard.read(path, ["id"])["id"].to_pylist()
    assert {one.path for one in bucket.list_objects()} >= {*files(first)}
    assert {*files(first)} == {
        one.path for one in bucket.list_objects() if not one.path.startswith("reports/") and "latest" not in one.path
    }


@pytest.mark.heavy
def test_a_server_that_dies_in_the_middle_is_named_and_the_next_run_goes_on(
    source: Path, place: str, machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    upload, calls = Bucket.upload, []

    def die(self: Bucket, path: str, file: Path) -> str:
        calls.append(path)
        if len(calls) > 6:
            self._store = dead._store
        return upload(self, path, file)

    monkeypatch.setattr("malmoi.storage.bucket.ATTEMPTS", 0)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        dead = Bucket(place)
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "upload", die)
        ended = malmoi_in_process("run", "general", "--source", source, "--workspace", place, "--workers", "1")
    assert ended.returncode == 3
    assert f"{place}: " in ended.stderr and "run the same command again" in ended.stderr
    working_copy.find_copy.cache_clear()
    run(source, place)
    run(source, tmp_path / "w")
    assert sums(locate(place)) == sums(tmp_path / "w")
