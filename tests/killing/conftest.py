"""A small corpus with an undisturbed release of it, and a Prefect server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders.small_corpus import make, malmoi, sums
from tests.killing.prefect_home import PrefectHome

SECONDS = 600.0  # after which a wait counts as a hang: a loaded machine takes ten times as long as an idle one


@dataclass(frozen=True)
class Small:
    """A corpus of twenty-four pages: its folder, the sums of an undisturbed release, and how long that run took."""

    home: Path
    expected: str
    seconds: float

    @property
    def source(self) -> Path:
        return self.home / "small.py"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    home = tmp_path_factory.mktemp("matrix")
    source, began = make(home, pages=24), time.monotonic()
    done = malmoi("run", "general", "--source", source, "--workspace", home / "calm", "--workers", 2, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return Small(home, sums(home / "calm"), time.monotonic() - began)


@pytest.fixture(scope="session")
def prefect(small: Small) -> Iterator[PrefectHome]:
    with PrefectHome(small.home, SECONDS) as prefect:
        yield prefect
