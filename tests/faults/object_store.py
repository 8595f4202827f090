"""S3 in a folder, for simulations: the calls of obstore that `malmoi.storage.bucket` makes, each atomic, with faults.

A request may be lost before it is done, or its answer after it was done; the process may be killed before or after.
A real server is in tests/bucket.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote

from tests.faults import injection
from tests.faults.injection import Injector

_OWN = {name: getattr(os, name) for name in ("open", "replace", "link", "unlink", "listdir")}


class ObjectStore:
    """Objects are the files of `folder`, named by their quoted paths; a tag changes with each write."""

    def __init__(self, folder: Path, injector: Injector) -> None:
        self.folder, self._injector = folder, injector
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _request(self, op: str, path: str) -> Iterator[None]:
        """A point before the request, and its answer, which may be lost."""
        name = self.folder / path
        after = self._injector.strikes_after(op, name)
        self._injector.strike(op, name)
        yield
        if after:
            self._injector.struck = True
            injection.lose_answer()

    def _file(self, path: str) -> Path:
        return self.folder / quote(path, safe="")

    def put(self, path: str, content: Any, *, mode: Any = "overwrite", **_: Any) -> dict[str, Any]:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._request("put", path):
            target, part = self._file(path), self.folder / f".{uuid.uuid4().hex}"
            data = content if isinstance(content, bytes) else _read(content)
            descriptor = _OWN["open"](part, os.O_WRONLY | os.O_CREAT)
            os.write(descriptor, data)
            os.close(descriptor)
            try:
                if mode == "create":
                    _OWN["link"](part, target)
                    _OWN["unlink"](part)
                    return {"e_tag": _tag(target)}
                if isinstance(mode, dict) and (not target.exists() or _tag(target) != mode["e_tag"]):
                    raise PreconditionError(path)
                _OWN["replace"](part, target)
            except FileExistsError:
                _OWN["unlink"](part)
                raise AlreadyExistsError(path) from None
        return {"e_tag": _tag(target)}

    def get(self, path: str) -> Any:
        with self._request("get", path):
            file = self._file(path)
            if not file.exists():
                raise FileNotFoundError(path)
            content, tag = _read(file), _tag(file)
        return SimpleNamespace(
            bytes=lambda: content, meta={"e_tag": tag}, stream=lambda min_chunk_size: iter([content] if content else [])
        )

    def head(self, path: str) -> dict[str, Any]:
        with self._request("head", path):
            file = self._file(path)
            if not file.exists():
                raise FileNotFoundError(path)
            return _describe(path, file)

    def list(self, start: str | None) -> Iterator[list[dict[str, Any]]]:
        with self._request("ask", start or "all"):
            found = []
            for name in sorted(_OWN["listdir"](self.folder)):
                path = unquote(name)
                if not name.startswith(".") and path.startswith(f"{start}/" if start else ""):
                    found.append(_describe(path, self.folder / name))
        yield found

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            with self._request("drop", path):
                if self._file(path).exists():
                    _OWN["unlink"](self._file(path))


def _read(path: Any) -> bytes:
    descriptor = _OWN["open"](path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 30)
    finally:
        os.close(descriptor)


def _describe(path: str, file: Path) -> dict[str, Any]:
    about = os.stat(file)
    when = datetime.fromtimestamp(about.st_mtime, UTC)
    return {"path": path, "size": about.st_size, "e_tag": _tag(file), "last_modified": when}


def _tag(path: Path) -> str:
    found = os.stat(path)
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"
