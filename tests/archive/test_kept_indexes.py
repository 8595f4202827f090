"""The index of an archive is kept by the digest of its bytes: read once, read again when a byte changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawlers import local_files
from flows import archive_indexes
from malmoi.archive.capture import warc_record
from malmoi.erasure.tombstones import Matcher, Tombstone
from malmoi.errors import StageError
from malmoi.workspace import Workspace

NOTHING = Matcher((), b"")
HEADERS = (("Content-Type", "text/html"),)


def archive(path: Path, *names: str, tail: bytes = b"") -> Path:
    records = (warc_record(f"http://a.example/{name}", "2026-01-01T00:00:00Z", 200, HEADERS, b"<p>") for name in names)
    path.write_bytes(b"".join(records) + tail)
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the archives that were read."""
    names: list[str] = []
    real = local_files.read_archive

    def read(path: Path) -> local_files.Indexed:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(local_files, "read_archive", read)
    return names


def test_an_unchanged_archive_is_read_once_and_gives_the_same_rows_and_messages(
    tmp_path: Path, reads: list[str]
) -> None:
    home, path = Workspace.open(tmp_path / "w"), archive(tmp_path / "a.warc.gz", "1", "2", tail=b"\x1f\x8bdamaged")
    first = archive_indexes.make_reader(home, "here", NOTHING)(path)
    assert len(first[0]) == 2 and first[1]
    assert archive_indexes.make_reader(home, "here", NOTHING)(path) == first
    assert reads == ["a.warc.gz"]


def test_a_changed_archive_is_read_again_though_its_size_and_time_are_the_same(
    tmp_path: Path, reads: list[str]
) -> None:
    home, path = Workspace.open(tmp_path / "w"), archive(tmp_path / "a.warc.gz", "1")
    read = archive_indexes.make_reader(home, "here", NOTHING)
    before, (first, _) = path.stat(), read(path)
    archive(path, "2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (second, _) = read(path)
    assert [row.url[-1] for row in (*first, *second)] == ["1", "2"]
    assert reads == ["a.warc.gz"] * 2


def test_an_archive_that_holds_a_withdrawn_capture_is_not_kept(tmp_path: Path, reads: list[str]) -> None:
    home, path = Workspace.open(tmp_path / "w"), archive(tmp_path / "a.warc.gz", "1", "2")
    matcher = Matcher([Tombstone("url", "http://a.example/2", "2026-01-02", "request")], b"")
    for _ in range(2):
        rows, _ = archive_indexes.make_reader(home, "here", matcher)(path)
        assert len(rows) == 2
    assert reads == ["a.warc.gz"] * 2
    assert not home.survey_files(archive_indexes.NAME)


def test_a_damaged_index_names_the_folder_to_delete(tmp_path: Path) -> None:
    home, path = Workspace.open(tmp_path / "w"), archive(tmp_path / "a.warc.gz", "1")
    read = archive_indexes.make_reader(home, "here", NOTHING)
    found = read(path)
    (kept,) = home.survey_files(archive_indexes.NAME)
    kept.write_bytes(kept.read_bytes()[:-9])
    with pytest.raises(StageError, match=f"delete {kept.parent} and run again"):
        read(path)
    for file in kept.parent.iterdir():
        file.unlink()
    kept.parent.rmdir()
    assert read(path) == found
