"""A copy downloads what is read, not the whole workspace; a placeholder is never taken for its file."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from malmoi.errors import StageError
from malmoi.ledger import File, Ledger
from malmoi.storage import bucket as buckets
from malmoi.storage import checksummed_files, placeholders, shard, working_copy
from malmoi.storage.bucket import Bucket
from malmoi.storage.location import locate
from malmoi.storage.on_demand import fetch, fetch_below
from malmoi.storage.placeholders import is_placeholder
from malmoi.workspace import Workspace
from malmoi.workspace_layout import is_bulk
from tests.builders.small_corpus import make, malmoi_in_process, sums

Machine = Callable[[str], None]
CONTENT = b"rows " * 100
NAME = "3-clean/k1/documents.parquet"


def fill(folder: Path) -> Ledger:
    (folder / "documents.parquet").write_bytes(CONTENT)
    file = File("documents.parquet", shard.sha256_of(folder / "documents.parquet"), 1, len(CONTENT))
    return Ledger("3-clean", "k1", {"a": 1}, {"a": 1}, {}, files=(file,))


@pytest.fixture
def second(place: str, machine: Machine) -> Workspace:
    """The workspace on a second machine, with a shard that the first one finished."""
    with (first := Workspace.open(locate(place))).lock():
        first.commit("3-clean", "k1", fill)
    machine("two")
    return Workspace.open(locate(place))


def contents(bucket: Bucket) -> dict[str, bytes]:
    return {one.path: bucket.read(one.path)[0] for one in bucket.list_objects()}  # type: ignore[index]


def test_a_large_file_is_a_placeholder_until_it_is_fetched(second: Workspace) -> None:
    path = second.root / NAME
    assert is_placeholder(path) and path.stat().st_size == len(CONTENT) and path.stat().st_blocks == 0
    assert second.ledger("3-clean", "k1") is not None  # a finished shard counts without its content
    fetch(path)
    assert path.read_bytes() == CONTENT and not is_placeholder(path)


def test_a_small_file_is_downloaded_at_once(place: str, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placeholders, "LARGE", len(CONTENT) + 1)
    with (first := Workspace.open(locate(place))).lock():
        first.commit("3-clean", "k1", fill)
    machine("two")
    assert (Workspace.open(locate(place)).root / NAME).read_bytes() == CONTENT


def test_a_run_over_placeholders_uploads_none_of_them(second: Workspace, bucket: Bucket) -> None:
    before = contents(bucket)
    with second.lock():
        pass
    (second.root / ".bucket.sqlite").unlink()  # what says which version of each object the copy has
    working_copy.find_copy.cache_clear()
    with second.lock():
        pass
    assert contents(bucket) == before
    fetch_below(second.root)
    assert (second.root / NAME).read_bytes() == CONTENT


def test_what_a_run_deletes_without_reading_it_is_deleted_in_the_bucket(second: Workspace, bucket: Bucket) -> None:
    with second.lock():
        (second.root / NAME).unlink()
        (second.root / NAME).with_name("ledger.json").unlink()
    assert set(contents(bucket)) == {"malmoi.json"}


def test_a_file_that_another_run_changed_or_deleted_is_not_mixed_with_its_old_folder(
    second: Workspace, bucket: Bucket
) -> None:
    bucket.upload(NAME, second.mark)
    with pytest.raises(StageError, match=r"documents\.parquet: was changed or deleted by another run"):
        fetch(second.root / NAME)
    bucket.delete([NAME])
    with pytest.raises(StageError, match=r"documents\.parquet: was changed or deleted by another run"):
        fetch(second.root / NAME)
    assert is_placeholder(second.root / NAME)


def test_a_trimmed_copy_has_less_and_finds_it_again(second: Workspace, bucket: Bucket) -> None:
    copy, before = working_copy.find_copy(second.root), contents(bucket)
    assert copy is not None and copy.trim() == 0  # there is nothing yet
    fetch(second.root / NAME)
    with second.lock():
        second.terms.write_text("{}")
        (second.root / "1-captures").mkdir()
    assert copy.trim() == len(CONTENT) and is_placeholder(second.root / NAME)
    assert second.terms.read_text() == "{}"
    with second.lock():
        pass
    assert contents(bucket) == before | {"terms.json": b"{}"}
    fetch(second.root / NAME)
    assert (second.root / NAME).read_bytes() == CONTENT


def test_what_is_not_uploaded_is_not_trimmed(second: Workspace) -> None:
    copy, crawl = working_copy.find_copy(second.root), second.captures("a") / "0001/pages.warc.gz"
    assert copy is not None
    crawl.parent.mkdir(parents=True)
    crawl.write_bytes(CONTENT)
    assert copy.trim() == 0 and crawl.read_bytes() == CONTENT


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("name", [NAME, "3-clean/k1/ledger.json", "malmoi.json"])
def test_a_file_that_was_spoilt_in_the_copy_is_downloaded_again_and_never_uploaded(
    second: Workspace, bucket: Bucket, name: str, seen: bool
) -> None:
    copy, path, before = working_copy.find_copy(second.root), second.root / name, contents(bucket)
    assert copy is not None

    def spoil() -> None:
        fetch(path)
        state = path.stat()
        path.write_bytes(bytes([before[name][0] ^ 1]) + before[name][1:])
        if not seen:  # as a disk does it
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))

    spoil()
    if name == NAME and not seen:
        checksummed_files.check(path)  # a reader notices it
    elif seen or name == "malmoi.json":
        Workspace.open(second.root)
        fetch(path)
    else:
        with pytest.raises(StageError, match=r"not a ledger.*Delete .* and run again"):
            second.ledger("3-clean", "k1")
        shutil.rmtree(path.parent)
        Workspace.open(second.root)
    assert path.read_bytes() == before[name]
    spoil()
    with second.lock():
        assert contents(bucket) == before | {"lease.json": contents(bucket)["lease.json"]}
    spoil()
    assert copy.trim() >= len(before[name])
    Workspace.open(second.root)
    fetch(path)
    assert path.read_bytes() == before[name]


class _Lying:
    """A store whose next answers have a byte or a tag that is not the object's."""

    def __init__(self, store: Any, times: int, tag: str = "") -> None:
        self._store, self._times, self._tag = store, times, tag

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, path: str) -> Any:
        found, self._times = self._store.get(path), self._times - 1
        content, tag = bytes(found.bytes()), self._tag or found.meta["e_tag"]
        content = content if self._times < 0 or self._tag else bytes([content[0] ^ 1]) + content[1:]
        return SimpleNamespace(meta={"e_tag": tag}, stream=lambda **_: iter([content]))


def test_a_download_that_arrives_damaged_is_asked_for_again_and_is_named_if_it_always_is(
    second: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = second.root / NAME, working_copy.find_copy(second.root)
    assert copy is not None
    store = copy.bucket._store
    monkeypatch.setattr(copy.bucket, "_store", _Lying(store, 100))
    with pytest.raises(StageError, match=rf"{NAME}: was downloaded 6 times, and what arrived never had the digest"):
        fetch(path)
    assert is_placeholder(path)
    monkeypatch.setattr(copy.bucket, "_store", _Lying(store, 4))
    fetch(path)
    assert path.read_bytes() == CONTENT
    monkeypatch.setattr(copy.bucket, "_store", _Lying(store, 1, '"00-2"'))  # uploaded in parts by another program
    assert copy.bucket.download(NAME, path) == '"00-2"'


def test_tags_of_a_storage_that_encrypts_prove_nothing(second: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = working_copy.find_copy(second.root)
    assert copy is not None and copy.bucket.has_digests
    monkeypatch.setattr(copy.bucket, "_store", _Lying(copy.bucket._store, 0, f'"{"0" * 32}"'))
    monkeypatch.setitem(vars(copy.bucket), "has_digests", False)
    assert copy.bucket.read(NAME) == (CONTENT, f'"{"0" * 32}"')


def test_an_object_in_parts_has_the_digest_of_their_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PART", 4)
    parts = b"".join(hashlib.md5(part).digest() for part in (b"rows", b" ro"))
    tag = f'"{hashlib.md5(parts).hexdigest()}-2"'
    assert buckets.has_tag(io.BytesIO(b"rows ro"), tag) and not buckets.has_tag(io.BytesIO(b"rows rO"), tag)


@pytest.mark.heavy
def test_a_second_machine_repeats_a_run_without_the_archives(
    place: str, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make(tmp_path / "corpus", pages=12)
    call = ("run", "general", "--source", source, "--workspace", place, "--workers", "1")
    assert malmoi_in_process(*call).returncode == 0
    first = locate(place)
    machine("two")
    got: list[str] = []
    download = Bucket.download

    def note(self: Bucket, path: str, target: Path) -> str:
        got.append(path)
        return download(self, path, target)

    monkeypatch.setattr(Bucket, "download", note)
    assert malmoi_in_process("status", "--workspace", place).returncode == 0
    assert got and {Path(path).name for path in got if is_bulk(path)} <= {"dropped.parquet"}
    ended = malmoi_in_process(*call)
    assert ended.returncode == 0 and "nothing new" in ended.stdout, ended.stderr
    large = {path for path in got if is_bulk(path)}
    assert not [path for path in large if path.startswith("1-captures")]
    assert malmoi_in_process("verify", f"{place}/6-releases/general/1.0.0").returncode == 0
    assert sums(locate(place)) == sums(first)
