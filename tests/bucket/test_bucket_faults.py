"""Whatever happens to a run or to its storage: nothing is lost or half seen, and the next run has the same root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from malmoi.errors import StageError
from malmoi.storage import bucket as buckets
from malmoi.storage import working_copy
from malmoi.storage.bucket import Bucket
from malmoi.workspace_layout import find_unit
from tests.bucket.papers_run import publish
from tests.builders.faulty_storage import FaultyStorage, stand_before
from tests.builders.small_papers import PAPERS, written

pytestmark = pytest.mark.heavy

Machine = Callable[[str], None]
Papers = tuple[str, str]  # files of a source and a recipe
SECONDS = 120  # for a process that must not hang


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return written(tmp_path_factory.mktemp("papers"), PAPERS)


@pytest.fixture(scope="module")
def root(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The root of a run in a folder that nothing disturbs."""
    return publish(*papers, str(tmp_path_factory.mktemp("clean") / "w"))


@pytest.fixture
def storage(place: str, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStorage]:
    """What stands between the runs of a test and the server."""
    with stand_before(address) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        yield proxy


@pytest.fixture
def server(place: str, address: str, storage: FaultyStorage, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The objects of the workspace, read from the server itself."""
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        return Bucket(place)


@contextmanager
def give_up_soon() -> Iterator[None]:
    """Requests end after a second: for runs that are to fail, as a busy machine answers others later than that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "ATTEMPTS", 1)
        patch.setattr(buckets, "SECONDS", 1)
        working_copy.find_copy.cache_clear()  # a copy keeps the bucket that it opened
        yield
    working_copy.find_copy.cache_clear()


def list_tags(bucket: Bucket) -> dict[str, str]:
    return {one.path: one.tag for one in bucket.list_objects()}


def list_finished(tags: dict[str, str]) -> dict[str, str]:
    """The objects of folders that have their last file."""
    return {path: tag for path, tag in tags.items() if (last := find_unit(path)[1]) and last in tags}


@pytest.fixture
def points(
    papers: Papers, place: str, machine: Machine, storage: FaultyStorage, root: str
) -> Callable[[int], list[int]]:
    """Choose numbers of writes, spread over a run; the first run of the test counts them, in another workspace."""
    assert publish(*papers, f"{place}-counted") == root
    total, storage.writes = storage.writes, 0
    return lambda count: [1 + (total - 2) * (2 * n + 1) // (2 * count) for n in range(count)]


def disturb(
    papers: Papers, place: str, storage: FaultyStorage, server: Bucket, root: str, mode: str, points: list[int]
) -> None:
    for number, point in enumerate(points):

        def fall(write: int, point: int = point) -> None:
            if write >= point:
                storage.mode = mode  # type: ignore[assignment]

        here = f"{place}-{mode}-{number}"
        storage.writes, storage.at_write = 0, fall
        with give_up_soon(), pytest.raises(StageError, match=f"^{here}: .*[Ff]inished work is kept in the local copy"):
            publish(*papers, here)
        storage.mode, storage.at_write = "pass", lambda _: None
        assert publish(*papers, here) == root, f"{mode} at write {point}"


@pytest.mark.parametrize("mode", ["reset", "hang"])
def test_a_server_that_goes_away_in_the_middle_costs_nothing(
    mode: str, papers: Papers, place: str, storage: FaultyStorage, server: Bucket, root: str,
    points: Callable[[int], list[int]],
) -> None:  # fmt: skip
    disturb(papers, place, storage, server, root, mode, points(3 if mode == "reset" else 1))


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["reset", "hang"])
def test_a_server_that_goes_away_at_any_point_costs_nothing(
    mode: str, papers: Papers, place: str, storage: FaultyStorage, server: Bucket, root: str,
    points: Callable[[int], list[int]],
) -> None:  # fmt: skip
    disturb(papers, place, storage, server, root, mode, points(40 if mode == "reset" else 10))


@pytest.mark.parametrize("mode", ["reset", "hang"])
def test_a_server_that_does_not_answer_at_the_start_is_an_error_soon(
    mode: str, papers: Papers, place: str, machine: Machine, storage: FaultyStorage
) -> None:
    storage.mode = mode  # type: ignore[assignment]
    with give_up_soon(), pytest.raises(StageError, match="Check the bucket, AWS_ENDPOINT_URL"):
        publish(*papers, place)


def test_a_bucket_that_does_not_exist_is_named_with_its_endpoint(place: str, address: str) -> None:
    with pytest.raises(StageError, match=f"the bucket nowhere does not exist at {address}") as refused:
        list(Bucket("s3://nowhere/ko").list_objects())
    assert "<" not in str(refused.value)


def test_at_no_time_does_the_bucket_have_half_a_folder(
    papers: Papers, place: str, machine: Machine, storage: FaultyStorage, server: Bucket, root: str
) -> None:
    seen: list[dict[str, str]] = []
    storage.at_write = lambda _: seen.append(list_tags(server))
    assert publish(*papers, place) == root
    final = list_finished(list_tags(server))
    assert len(seen) > 20
    for tags in seen:
        for path, tag in list_finished(tags).items():
            assert final[path] == tag, f"{path} was seen before it was whole"
        whole = {find_unit(path)[0] for path in list_finished(tags)}
        assert {path for path in final if find_unit(path)[0] in whole} <= set(tags)


def start(papers: Papers, place: str, cache: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bucket.papers_run", *papers, place]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        env={**os.environ, "MALMOI_CACHE": str(cache), **environment},
    )  # fmt: skip


def kill_at(
    points: list[int], papers: Papers, place: str, storage: FaultyStorage, server: Bucket, root: str, tmp: Path
) -> None:
    """Kill a run at each point; a second machine goes on, and the first one follows."""
    for number, point in enumerate(points):
        here, first, second = f"{place}-{number}", tmp / f"first{number}", tmp / f"second{number}"
        storage.writes = 0
        with start(papers, here, first) as process:
            storage.at_write = lambda write, point=point, pid=process.pid: (  # type: ignore[misc]
                os.kill(pid, signal.SIGKILL) if write == point else None
            )
            process.communicate(timeout=SECONDS)
        storage.at_write = lambda _: None
        assert process.returncode == -signal.SIGKILL
        left = list_finished(list_tags(Bucket(here)))
        for cache in (second, first):
            with start(papers, here, cache) as process:
                out, error = process.communicate(timeout=SECONDS)
            assert (process.returncode, out.strip()) == (0, root), f"killed at write {point}: {error}"
        now = list_tags(Bucket(here))
        assert "lease.json" not in now
        assert not {path for path, tag in left.items() if now.get(path) != tag}, "finished work was done again"
        assert not {path for path in now if find_unit(path)[0]} - list_finished(now).keys()


def test_a_second_machine_continues_a_run_that_was_killed(
    papers: Papers, place: str, storage: FaultyStorage, server: Bucket, root: str, tmp_path: Path,
    points: Callable[[int], list[int]],
) -> None:  # fmt: skip
    kill_at(points(1), papers, place, storage, server, root, tmp_path)


@pytest.mark.soak
def test_a_second_machine_continues_a_run_that_was_killed_at_any_point(
    papers: Papers, place: str, storage: FaultyStorage, server: Bucket, root: str, tmp_path: Path,
    points: Callable[[int], list[int]],
) -> None:  # fmt: skip
    kill_at(points(25), papers, place, storage, server, root, tmp_path)


def test_of_two_machines_that_start_at_once_each_ends_with_the_release_or_the_name_of_the_other(
    papers: Papers, place: str, storage: FaultyStorage, root: str, tmp_path: Path
) -> None:
    with start(papers, place, tmp_path / "a") as one, start(papers, place, tmp_path / "b") as two:
        ended = [(process.communicate(timeout=SECONDS), process.returncode) for process in (one, two)]
    assert ("0", root) in [(str(status), out.strip()) for (out, _), status in ended], ended
    for (out, error), status in ended:
        if status:
            assert status == 2 and f"{place} is in use by another run (" in error and " on " in error, error
        else:
            assert out.strip() == root
    assert "lease.json" not in list_tags(Bucket(place))
    working_copy.find_copy.cache_clear()
