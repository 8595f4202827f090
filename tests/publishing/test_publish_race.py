"""Two publishers at once, as real processes: one wins, the other is told; what a kill interrupts stays unseen."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from malmoi.releases.verification.sha256sums import seal
from tests.builders.command_process import CommandProcess
from tests.builders.small_corpus import make, malmoi_in_process
from tests.builders.small_release import sealed
from tests.builders.small_storage import BUCKET, ENVIRONMENT
from tests.publishing.test_publish_s3 import expected, objects

ROUNDS = 4


@pytest.fixture(scope="module")
def publishers() -> Iterator[list[CommandProcess]]:
    found = [CommandProcess(ENVIRONMENT), CommandProcess(ENVIRONMENT)]
    yield found
    for one in found:
        one.kill()


def race(publishers: list[CommandProcess], commands: list[tuple[object, ...]]) -> list[tuple[int, str]]:
    """Run one command in each process at once."""
    for publisher, command in zip(publishers, commands, strict=True):
        publisher.start(*command)
    return [publisher.wait() for publisher in publishers]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two releases of one version whose files have equal sizes: one file and the sums differ."""
    one = sealed(tmp_path_factory.mktemp("one"))
    other = Path(shutil.copytree(one, tmp_path_factory.mktemp("other") / "release"))
    text = (other / "LICENSE.md").read_text(encoding="utf-8")
    (other / "LICENSE.md").write_text(text.replace("e", "x"), encoding="utf-8")
    seal(other)
    return [one, other]


def sort_results(done: list[tuple[int, str]], releases: list[Path]) -> tuple[Path, str]:
    """The release that was published, and what the other publisher was told."""
    assert sorted(status for status, _ in done) == [0, 2], done
    winner, loser = sorted(zip(done, releases, strict=True), key=lambda one: one[0][0])
    return winner[1], loser[0][1]


@pytest.mark.heavy
def test_of_two_publishers_into_a_folder_one_wins(
    releases: list[Path], publishers: list[CommandProcess], tmp_path: Path
) -> None:
    for number in range(ROUNDS):
        target = tmp_path / str(number)
        done = race(publishers, [("publish", release, target) for release in releases])
        won, told = sort_results(done, releases)
        assert "is in use by another publisher (" in told or "has this version with another LICENSE.md" in told
        copy = target / "sample" / "1.0.0"
        assert {p.relative_to(copy).as_posix(): p.read_bytes() for p in copy.rglob("*") if p.is_file()} == {
            p.relative_to(won).as_posix(): p.read_bytes() for p in won.rglob("*") if p.is_file()
        }
        assert sorted(os.listdir(target / "sample")) == [".publishing", "1.0.0", "latest"]


@pytest.mark.heavy
def test_of_two_publishers_to_a_storage_one_wins(
    address: str, releases: list[Path], publishers: list[CommandProcess]
) -> None:
    for _ in range(ROUNDS):
        url = f"s3://{BUCKET}/{uuid.uuid4().hex}/releases"
        done = race(publishers, [("publish", release, url, "--endpoint", address) for release in releases])
        won, told = sort_results(done, releases)
        assert "with this version was being uploaded" in told or "has this version with other bytes" in told
        assert objects(address, url) == expected(won)


@pytest.mark.soak  # test_latest.py has one with a lock that is held
def test_of_two_runs_in_one_workspace_one_releases(publishers: list[CommandProcess], tmp_path: Path) -> None:
    make(tmp_path, pages=6)
    named = ("general", "--source", tmp_path / "small.py", "--workspace", tmp_path / "w", "--workers", 1)
    done = race(publishers, [("run", *named)] * 2)
    _, told = sort_results(done, [tmp_path, tmp_path])
    assert "in use" in told
    assert [p.name for p in (tmp_path / "w" / "6-releases" / "general").glob("*.*.*")] == ["1.0.0"]


@pytest.mark.heavy
def test_an_upload_whose_process_is_killed_is_no_release_and_the_next_one_continues_it(
    address: str, releases: list[Path]
) -> None:
    url = f"s3://{BUCKET}/{uuid.uuid4().hex}/releases"
    publisher = CommandProcess(ENVIRONMENT)
    try:
        publisher.start("publish", releases[0], url, "--endpoint", address)
        until = time.monotonic() + 60
        while not any("/data/" in name for name in objects(address, url)) and time.monotonic() < until:
            time.sleep(0.001)
    finally:
        publisher.kill()
    there = objects(address, url)
    assert any("/data/" in name for name in there)
    assert "sample/latest" not in there and "sample/1.0.0/SHA256SUMS" not in there, "the kill came too late"
    refused = malmoi_in_process("publish", releases[1], url, "--endpoint", address)
    assert (refused.returncode, "was being uploaded" in refused.stderr) == (2, True)
    done = malmoi_in_process("publish", releases[0], url, "--endpoint", address)
    assert done.returncode == 0 and " 0 there already" not in done.stdout
    assert objects(address, url) == expected(releases[0])
