"""Publishing to S3-compatible storage, against a real server: manifest last, continued, read back, refused."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest
from pyarrow import fs

from malmoi.errors import CallError, DataError, StageError
from malmoi.releases.distribution import Item, Payload, read_payload, s3
from malmoi.releases.distribution.s3 import Storage, publish_to_s3
from malmoi.releases.verification.sha256sums import seal
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import sealed
from tests.builders.small_storage import BUCKET


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with one file of 12 MB, which is uploaded in parts."""
    folder = sealed(tmp_path_factory.mktemp("release"))
    (folder / "LICENSES" / "large.txt").parent.mkdir(exist_ok=True)
    (folder / "LICENSES" / "large.txt").write_bytes(bytes(range(256)) * 48_000)
    seal(folder)
    return folder


@pytest.fixture
def url() -> str:
    """A prefix for each test."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}/releases"


def objects(address: str, url: str) -> dict[str, bytes]:
    files, start = Storage(url, address)._files, url.removeprefix("s3://")
    found = files.get_file_info(fs.FileSelector(start, recursive=True, allow_not_found=True))
    return {
        one.path.removeprefix(f"{start}/"): files.open_input_stream(one.path).read() for one in found if one.is_file
    }


def expected(release: Path) -> dict[str, bytes]:
    files = {f"sample/1.0.0/{p.relative_to(release).as_posix()}": p for p in release.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in files.items()} | {"sample/latest": b"1.0.0\n"}


def test_the_objects_are_the_files_and_latest_names_the_version(release: Path, address: str, url: str) -> None:
    done = malmoi_in_process("publish", release, url, "--endpoint", address, "--verify")
    assert done.returncode == 0, done.stderr
    assert objects(address, url) == expected(release)
    again = malmoi_in_process("publish", release, url, "--endpoint", address)
    assert f"0 files copied, {len(expected(release)) - 1} there already" in again.stdout


def interrupt(patch: pytest.MonkeyPatch, uploads: int) -> None:
    """End the upload after so many files, as a kill does."""
    upload, done = Storage.upload, []

    def stop(self: Storage, payload: Payload, item: Item, path: str) -> None:
        if len(done) >= uploads:
            raise KeyboardInterrupt
        upload(self, payload, item, path)
        done.append(path)

    patch.setattr(Storage, "upload", stop)
    patch.setattr(s3, "THREADS", 1)


@pytest.mark.one_case_in(5)
@pytest.mark.parametrize("uploads", [0, 1, 9, -2, -1])
def test_an_interrupted_upload_has_no_sums_and_the_next_one_sends_only_what_is_missing(
    release: Path, address: str, url: str, uploads: int
) -> None:
    payload = read_payload(release)
    sent = uploads % len(payload.items) if uploads < 0 else uploads
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, sent)
        publish_to_s3(payload, Storage(url, address))
    there = objects(address, url)
    assert "sample/latest" not in there and "sample/1.0.0/SHA256SUMS" not in there
    done = publish_to_s3(payload, Storage(url, address))
    assert (done.kept, done.copied) == (sent, len(payload.items) - sent)
    assert objects(address, url) == expected(release)


def test_an_object_of_another_size_is_sent_again_and_other_bytes_of_the_same_size_are_read_back(
    release: Path, address: str, url: str
) -> None:
    payload, storage = read_payload(release), Storage(url, address)
    publish_to_s3(payload, storage)
    storage.write("sample/1.0.0/LICENSE.md", b"short")
    assert publish_to_s3(payload, storage).copied == 1
    size = (release / "LICENSE.md").stat().st_size
    storage.write("sample/1.0.0/LICENSE.md", b"x" * size)
    assert publish_to_s3(payload, storage).copied == 0
    with pytest.raises(DataError, match=r"LICENSE\.md: not the object that was uploaded"):
        publish_to_s3(payload, storage, read_back=True)
    storage.delete("sample/1.0.0/LICENSE.md")
    assert publish_to_s3(payload, storage, read_back=True).copied == 1
    assert objects(address, url) == expected(release)


@pytest.fixture
def other(release: Path, tmp_path: Path) -> Payload:
    """A release of the same version with other bytes."""
    copy = Path(shutil.copytree(release, tmp_path / "other"))
    (copy / "LICENSE.md").write_text("x", encoding="utf-8")
    seal(copy)
    return read_payload(copy)


def test_a_version_with_other_bytes_is_refused(release: Path, other: Payload, address: str, url: str) -> None:
    publish_to_s3(read_payload(release), Storage(url, address))
    with pytest.raises(CallError, match="has this version with other bytes"):
        publish_to_s3(other, Storage(url, address))
    assert objects(address, url) == expected(release)


def test_of_two_publishers_of_a_version_the_second_finds_the_journal_of_the_first(
    release: Path, other: Payload, address: str, url: str
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, 3)
        publish_to_s3(read_payload(release), Storage(url, address))
    with pytest.raises(CallError, match="another release with this version was being uploaded"):
        publish_to_s3(other, Storage(url, address))
    publish_to_s3(read_payload(release), Storage(url, address))
    assert objects(address, url) == expected(release)


@pytest.mark.one_case_in(5)
@pytest.mark.parametrize("content", [b"{", b"[]", b'{"LICENSE.md": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_journal_means_that_everything_is_sent_again(
    release: Path, address: str, url: str, content: bytes
) -> None:
    payload = read_payload(release)
    Storage(url, address).write(f"sample/.1.0.0-{payload.sums.sha256}.uploading.json", content)
    assert publish_to_s3(payload, Storage(url, address)).kept == 0
    assert objects(address, url) == expected(release)


def test_latest_never_goes_back(release: Path, address: str, url: str) -> None:
    Storage(url, address).write("sample/latest", b"1.10.0\n")
    publish_to_s3(read_payload(release), Storage(url, address))
    assert objects(address, url)["sample/latest"] == b"1.10.0\n"


def test_wrong_credentials_say_what_to_check(
    release: Path, address: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong")
    with pytest.raises(StageError, match="Check the bucket, --endpoint, AWS_ACCESS_KEY_ID"):
        publish_to_s3(read_payload(release), Storage(url, address))


def test_an_address_without_a_bucket_is_a_wrong_call() -> None:
    with pytest.raises(CallError, match="write s3://BUCKET/PREFIX"):
        Storage("s3://")
