"""Publish a release to S3-compatible storage: PREFIX/<name>/<version>/…, and the object PREFIX/<name>/latest.

Manifest and SHA256SUMS are uploaded last, `latest` after them. A journal object names what was uploaded: an upload that
was interrupted is continued from any machine. Storage has no lock, but lists what was written before: of two publishers
of one version with different bytes, one finds the journal or the release of the other, and stops.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from pyarrow import fs

from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, DataError, StageError
from malmoi.releases.distribution import LAST, Item, Payload, Published
from malmoi.workspace_layout import LATEST

THREADS: Final = 4  # uploads at once
ATTEMPTS: Final = 4  # of one request
SECONDS: Final = 60  # without an answer
CLAIM_SECONDS: Final = 10  # for the journal of a publisher that began at the same time to be deleted
_BLOCK: Final = 8 << 20


class Storage:
    """The objects below s3://bucket/prefix; requests that fail become StageErrors that say what to check."""

    def __init__(self, url: str, endpoint: str = "") -> None:
        self.url, self._base = url.rstrip("/"), url.removeprefix("s3://").strip("/")
        if not url.startswith("s3://") or not self._base:
            raise CallError(f"{url} is not an address of S3 storage; write s3://BUCKET/PREFIX.")
        scheme, mark, host = endpoint.partition("://")
        with self._explain():
            self._files = fs.S3FileSystem(
                endpoint_override=(host if mark else endpoint).rstrip("/") or None,
                scheme=scheme if mark else "https",
                retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
                connect_timeout=SECONDS,
                request_timeout=SECONDS,
            )

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StageError(
                f"{self.url}: {' '.join(str(error).split())}. Objects that were uploaded are kept. Check the bucket, "
                "--endpoint, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and run the same command again."
            ) from error

    def read(self, path: str) -> bytes | None:
        """Return an object of a few kilobytes, or None if it does not exist."""
        with self._explain():
            if self._files.get_file_info(f"{self._base}/{path}").type is not fs.FileType.File:
                return None
            with self._files.open_input_stream(f"{self._base}/{path}") as stream:
                return bytes(stream.read())

    def write(self, path: str, content: bytes) -> None:
        """Write a small object."""
        with self._explain(), self._files.open_output_stream(f"{self._base}/{path}") as stream:
            stream.write(content)

    def delete(self, path: str) -> None:
        """Delete an object."""
        with self._explain():
            self._files.delete_file(f"{self._base}/{path}")

    def upload(self, payload: Payload, item: Item, path: str) -> None:
        """Upload a file of the release, in parts if it is large."""
        with self._explain(), self._files.open_output_stream(f"{self._base}/{path}") as stream:
            payload.send(item, stream.write)

    def list_sizes(self, path: str) -> dict[str, int]:
        """Return the size of each object below `path`, by the path below it."""
        start = f"{self._base}/{path}/"
        with self._explain():
            found = self._files.get_file_info(fs.FileSelector(start, recursive=True, allow_not_found=True))
        return {one.path.removeprefix(start): one.size for one in found if one.type is fs.FileType.File}

    def list_names(self, path: str) -> list[str]:
        """Return the names of the objects in the folder `path`, not of those in its subfolders."""
        with self._explain():
            found = self._files.get_file_info(fs.FileSelector(f"{self._base}/{path}", allow_not_found=True))
        return [one.base_name for one in found if one.type is fs.FileType.File]

    def digest(self, path: str) -> str:
        """Read an object back and return its sha256 (hex)."""
        digest = hashlib.sha256()
        with self._explain(), self._files.open_input_stream(f"{self._base}/{path}") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


class _Journal:
    """The uploaded files, as an object of the storage: path → sha256. Each release has its own, and claims its version.

    Whoever finds the journal of another release stops. Two that begin at once both write, then look again: the one with
    the lower name waits until the other has deleted its own.
    """

    def __init__(self, storage: Storage, payload: Payload) -> None:
        self._storage, self._folder, self._lock = storage, payload.name, Lock()
        self._start, self._end = f".{payload.version}-", ".uploading.json"
        self._name = f"{self._start}{payload.sums.sha256}{self._end}"
        held = storage.read(f"{self._folder}/{self._name}")
        try:
            value = json.loads(held or b"{}")
        except (ValueError, RecursionError):
            value = None
        # Everything is sent again if the journal is missing or damaged.
        self.uploaded: dict[str, Any] = value if isinstance(value, dict) else {}
        if others := self._list_others():
            raise self._refuse(others)
        self.note()
        if held is None:
            try:
                self._wait_for_others()
                _is_published(storage, payload)  # another that ended since
            except CallError:
                self.delete()
                raise

    def _wait_for_others(self) -> None:
        until = time.monotonic() + CLAIM_SECONDS
        while others := self._list_others():
            if others[0] < self._name or time.monotonic() > until:
                raise self._refuse(others)
            time.sleep(0.2)

    def _list_others(self) -> list[str]:
        names = self._storage.list_names(self._folder)
        return sorted(n for n in names if n.startswith(self._start) and n.endswith(self._end) and n != self._name)

    def _refuse(self, others: Sequence[str]) -> CallError:
        return CallError(
            f"{self._storage.url}/{self._folder}/{others[0]}: another release with this version was being uploaded. "
            "Wait for it; if that upload was given up, delete the object and run the same command again."
        )

    def note(self, item: Item | None = None) -> None:
        with self._lock:
            self.uploaded |= {item.path: item.sha256} if item else {}
            self._storage.write(f"{self._folder}/{self._name}", canonical_json(self.uploaded).encode())

    def delete(self) -> None:
        self._storage.delete(f"{self._folder}/{self._name}")


def _is_published(storage: Storage, payload: Payload) -> bool:
    """Whether the storage has this release; CallError if it has another of its version."""
    place = f"{payload.name}/{payload.version}"
    held = storage.read(f"{place}/{payload.sums.path}")
    if held is not None and hashlib.sha256(held).hexdigest() != payload.sums.sha256:
        raise CallError(
            f"{storage.url}/{place} has this version with other bytes, and a release is never edited. Publish the next "
            "version."
        )
    return held is not None


def publish_to_s3(payload: Payload, storage: Storage, *, read_back: bool = False) -> Published:
    """Upload the release and check the size of every object; with `read_back` the digest of every object too.

    CallError if the storage has this version with other bytes, DataError if an object is not what was uploaded.
    """
    place = f"{payload.name}/{payload.version}"
    journal = None if _is_published(storage, payload) else _Journal(storage, payload)
    uploaded = journal.uploaded if journal else {item.path: item.sha256 for item in payload.items}
    sizes = storage.list_sizes(place)
    missing = [i for i in payload.items if (uploaded.get(i.path), sizes.get(i.path)) != (i.sha256, i.size)]
    first = [item for item in missing if item.path not in LAST]

    def upload(item: Item) -> None:
        storage.upload(payload, item, f"{place}/{item.path}")
        if journal:
            journal.note(item)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(upload, first))
    _check(storage, place, [item for item in payload.items if item.path not in LAST], read_back=read_back)
    for item in (item for item in missing if item.path in LAST):
        upload(item)
    _check(storage, place, [item for item in payload.items if item.path in LAST], read_back=True)
    latest = f"{payload.name}/{LATEST}"  # an object that holds the highest version
    held = (storage.read(latest) or b"").decode("ascii", "replace").strip()
    try:
        is_older = [int(n) for n in held.split(".")] < [int(n) for n in payload.version.split(".")]
    except ValueError:
        is_older = True
    if is_older:
        storage.write(latest, f"{payload.version}\n".encode())
    if journal:
        journal.delete()
    return Published(f"{storage.url}/{place}", len(missing), len(payload.items) - len(missing))


def _check(storage: Storage, place: str, items: Sequence[Item], *, read_back: bool) -> None:
    sizes = storage.list_sizes(place)
    for item in items:
        if sizes.get(item.path) != item.size or (read_back and storage.digest(f"{place}/{item.path}") != item.sha256):
            raise DataError(
                f"{storage.url}/{place}/{item.path}: not the object that was uploaded. Delete it, and run the same "
                "command again."
            )
