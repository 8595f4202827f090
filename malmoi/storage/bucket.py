"""Objects of S3-compatible storage below one prefix, by the library obstore (the extra `s3`).

Endpoint, region and credentials come from the environment variables that every S3 client reads: AWS_ENDPOINT_URL,
AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. Listings must be consistent, and puts
conditional (`If-None-Match`, `If-Match`), as Amazon S3, MinIO, R2 and SeaweedFS offer them.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from malmoi.errors import CallError, StageError
from malmoi.storage.location import find_endpoint
from malmoi.workspace_layout import MARK, MARK_TEXT

ATTEMPTS: Final = 6  # of one request
DOWNLOADS: Final = 6  # of one object whose content arrives damaged
SECONDS: Final = 60  # for one request, and for all attempts of it
PART: Final = 16 << 20  # bytes of one part of an upload: 10,000 parts are 160 GB
_BLOCK: Final = 8 << 20
_SECRETS: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
_SHOWN: Final = 300  # characters of a message of the storage
_md5 = partial(hashlib.md5, usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: its path below the prefix, size in bytes, version tag, and when it was written (UTC)."""

    path: str
    size: int
    tag: str
    written: datetime


class Bucket:
    """The objects below s3://bucket/prefix; requests that fail become StageErrors that say what to check."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        name, _, prefix = self.address.removeprefix("s3://").partition("/")
        self._obstore = _import_obstore()
        endpoint = find_endpoint()
        options: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        with self._explain():
            self._store = self._obstore.store.S3Store(
                name,
                prefix=prefix,
                **options,
                client_options={
                    "allow_http": endpoint.startswith("http://"),
                    "timeout": timedelta(seconds=SECONDS),
                    "connect_timeout": timedelta(seconds=10),
                },
                retry_config={"max_retries": ATTEMPTS, "retry_timeout": timedelta(seconds=SECONDS)},
            )

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except self._obstore.exceptions.BaseError as error:
            if "NoSuchBucket" in str(error):
                name, place = self.address.removeprefix("s3://").partition("/")[0], find_endpoint() or "Amazon S3"
                raise StageError(
                    f"{self.address}: the bucket {name} does not exist at {place}. Create it, or correct the address "
                    "or AWS_ENDPOINT_URL, and run the same command again."
                ) from None
            raise StageError(
                f"{self.address}: {_shorten(error)}. Finished work is kept in the local copy. Check the bucket, "
                "AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and run the same command "
                "again."
            ) from None  # the cause repeats the request

    def list_objects(self, start: str = "") -> Iterator[Stored]:
        """Yield every object below the folder `start`."""
        with self._explain():
            for page in self._store.list(start or None):
                for one in page:
                    yield Stored(one["path"], one["size"], one["e_tag"] or "", one["last_modified"])

    def find(self, path: str) -> Stored | None:
        """Return the object at `path`, or None if it does not exist."""
        with self._explain():
            try:
                one = self._store.head(path)
            except FileNotFoundError:
                return None
            return Stored(one["path"], one["size"], one["e_tag"] or "", one["last_modified"])

    def read(self, path: str) -> tuple[bytes, str] | None:
        """Return an object of a few megabytes with its tag, or None if it does not exist; as `download`, of content."""
        stream = io.BytesIO()
        try:
            tag = self._receive(path, stream)
        except FileNotFoundError:
            return None
        return stream.getvalue(), tag

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """Return these bytes of an object, fewer at its end; FileNotFoundError if it does not exist."""
        with self._explain():
            return bytes(self._store.get_range(path, start=offset, length=length))

    def download(self, path: str, target: Path) -> str:
        """Write an object to the file `target` and return its tag; FileNotFoundError if it does not exist.

        Content whose digest is not that of the tag is downloaded again. StageError if it always differs.
        """
        with target.open("w+b") as stream:
            return self._receive(path, stream)

    def _receive(self, path: str, stream: io.BufferedIOBase) -> str:
        earlier = set[str]()
        for _ in range(DOWNLOADS):
            stream.seek(0)
            stream.truncate()
            with self._explain():
                found = self._store.get(path)
                for block in found.stream(min_chunk_size=_BLOCK):
                    stream.write(block)
            tag = found.meta["e_tag"] or ""
            if has_tag(stream, tag) or not self.has_digests:
                return tag
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if "-" in tag and digest in earlier:  # another program uploaded it, in parts of another size
                return tag
            earlier.add(digest)
        raise StageError(
            f"{self.address}/{path}: was downloaded {DOWNLOADS} times, and what arrived never had the digest that the "
            f"storage names ({tag}). Nothing of it was kept. Check what is between, such as a proxy, or else the "
            "storage; then run the same command again."
        )

    @cached_property
    def has_digests(self) -> bool:
        """Whether tags are MD5 digests of content: encryption by keys of a service makes others, and some storages do.

        The tag of the file that marks a workspace says so, because its content is known.
        """
        mark = self.find(MARK)
        return mark is not None and has_tag(io.BytesIO(MARK_TEXT.encode()), mark.tag)

    def upload(self, path: str, file: Path) -> str:
        """Write the bytes of `file` to an object, in parts if it is large; return its tag."""
        with self._explain():
            return self._store.put(path, file, chunk_size=PART)["e_tag"] or ""

    def create(self, path: str, content: bytes) -> str | None:
        """Write a small object if none of this path exists, and return its tag; None if one exists."""
        with self._explain():
            try:
                return self._store.put(path, content, mode="create", use_multipart=False)["e_tag"] or ""
            except self._obstore.exceptions.AlreadyExistsError:
                return None

    def replace(self, path: str, content: bytes, tag: str) -> str | None:
        """Write a small object if the present one has the tag `tag`; return the new tag, or None if it differs."""
        with self._explain():
            try:
                mode = {"e_tag": tag}
                return self._store.put(path, content, mode=mode, use_multipart=False)["e_tag"] or ""
            except (self._obstore.exceptions.PreconditionError, FileNotFoundError):
                return None

    def delete(self, paths: Sequence[str]) -> None:
        """Delete objects; missing ones are left out."""
        with self._explain():
            if paths:
                self._store.delete(list(paths))


def has_tag(stream: io.BufferedIOBase, tag: str) -> bool:
    """Whether content has the tag of an object: its MD5, or of an upload in parts the MD5 of their MD5s.

    >>> has_tag(io.BytesIO(b"hello"), '"5d41402abc4b2a76b9719d911017c592"'), has_tag(io.BytesIO(b"hallo"), "")
    (True, False)
    """
    stream.seek(0)
    if "-" not in tag:
        return tag.strip('"') == hashlib.file_digest(stream, _md5).hexdigest()
    parts = [_md5(part).digest() for part in iter(lambda: stream.read(PART), b"")]
    return tag.strip('"') == f"{_md5(b''.join(parts)).hexdigest()}-{len(parts)}"


def _shorten(error: Exception) -> str:
    """Return the message of the storage in one line, without what identifies the operator."""
    text = " ".join(str(error).split("Debug source")[0].split())
    for name in _SECRETS:
        if value := os.environ.get(name):
            text = text.replace(value, f"<{name}>")
    return text[:_SHOWN].rstrip(". ")


def _import_obstore() -> Any:
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError as error:
        raise CallError(
            "a workspace in a bucket needs the package obstore, which is not installed. Install it with "
            "`pip install 'malmoi[s3]'`, and run the same command again."
        ) from error
    return obstore
