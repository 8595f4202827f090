"""A real S3 server for the tests of this folder, and workspaces in it; each machine has a cache of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from malmoi.storage import lease, placeholders, working_copy
from malmoi.storage.bucket import Bucket
from tests.builders.small_storage import BUCKET
from tests.publishing.conftest import address as address  # the server


@pytest.fixture
def place(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a workspace for each test."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setattr(working_copy, "FRESH", 0.0)  # the machines of a test are in one process
    monkeypatch.setattr(placeholders, "LARGE", 1)
    yield f"s3://{BUCKET}/{uuid.uuid4().hex}/ko"
    working_copy.find_copy.cache_clear()


@pytest.fixture
def machine(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Go on as another machine, whose cache is empty when it is named for the first time."""

    def choose(name: str) -> None:
        monkeypatch.setenv("MALMOI_CACHE", str(tmp_path / name))

    choose("one")
    return choose


@pytest.fixture
def bucket(place: str, machine: object) -> Bucket:
    """The objects of the workspace."""
    return Bucket(place)


@pytest.fixture
def fast_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that expires within two seconds."""
    monkeypatch.setattr(lease, "RENEW", 0.3)
    monkeypatch.setattr(lease, "EXPIRES", 2.0)
