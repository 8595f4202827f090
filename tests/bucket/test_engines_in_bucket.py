"""On a cluster, each node works over a local copy of its own: the same release, and no half of it elsewhere."""

from __future__ import annotations

import os
import pickle
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.engine import worker_pool
from flows.engine.clusters import (
    NodeTask,
    call_on,
    find_store,
    pack,
    read_software,
    run_at_node,
    run_on_node,
    unpack,
)
from malmoi.errors import StageError
from malmoi.ledger import File, Ledger
from malmoi.storage.bucket import Bucket
from malmoi.storage.location import locate
from malmoi.workspace import Workspace
from tests.builders.small_corpus import malmoi, sums
from tests.builders.small_site import serve
from tests.erasure.test_purge import SOURCE, fill

pytestmark = pytest.mark.heavy

Machine = Callable[[str], None]
STORE = 100 << 20  # bytes of Ray's object store on a node


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The caches of two nodes."""
    return [tmp_path_factory.mktemp(f"node{number}") for number in range(2)]


@pytest.fixture(scope="module")
def ray(address: str, homes: list[Path]) -> Iterator[str]:
    """The address of a Ray cluster of two nodes with one core each."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("AWS_ENDPOINT_URL", address)
        cluster = Cluster()
        for home in homes:
            patch.setenv("MALMOI_CACHE", str(home))
            cluster.add_node(num_cpus=1, object_store_memory=STORE, include_dashboard=False)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="module")
def dask(address: str, homes: list[Path]) -> Iterator[str]:
    """The address of a Dask cluster of two workers with one thread each."""
    from distributed import Nanny, Scheduler, SpecCluster

    def describe(home: Path) -> dict[str, object]:
        environment = {"AWS_ENDPOINT_URL": address, "MALMOI_CACHE": str(home)}
        return {"cls": Nanny, "options": {"nthreads": 1, "env": environment, "dashboard": False}}

    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "dashboard": False, "dashboard_address": None}}
    workers = {number: describe(home) for number, home in enumerate(homes)}
    with SpecCluster(scheduler=scheduler, workers=workers) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A source, and a workspace in a folder with its pages, of which this machine has made a release."""
    root = tmp_path_factory.mktemp("crawled")
    source = root / "small.py"
    with serve() as site:
        fill(site)
        source.write_text(SOURCE.format(base=site.base, host=site.base.removeprefix("http://")), encoding="utf-8")
        done("collect", source, "--workspace", root / "ws", "--contact", "a@b.kr")
    done("release", "general", "--source", source, "--workspace", root / "ws", "--workers", 2)
    return source, root / "ws"


def done(*arguments: object) -> str:
    ended = malmoi(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def upload(folder: Path, bucket: Bucket, *below: str) -> None:
    """Copy a workspace in a folder to a bucket, as `aws s3 sync` does."""
    for path in (path for name in below for path in (folder / name, *(folder / name).rglob("*")) if path.is_file()):
        bucket.upload(path.relative_to(folder).as_posix(), path)


@pytest.mark.parametrize(("engine", "beside"), [("ray", False), ("dask", False), ("dask", True)])
def test_nodes_with_copies_of_their_own_make_the_same_release(
    engine: str,
    beside: bool,
    crawled: tuple[Path, Path],
    place: str,
    bucket: Bucket,
    homes: list[Path],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, local = crawled
    if beside:  # the driver shares its copy with one of the nodes
        monkeypatch.setenv("MALMOI_CACHE", str(homes[0]))
    upload(local, bucket, "malmoi.json", "1-captures")
    cluster = request.getfixturevalue(engine)
    done("release", "general", "--source", source, "--workspace", place, "--engine", engine, "--address", cluster)
    driver = locate(place)
    assert sums(driver) == sums(local)
    made = {path.relative_to(driver) for path in driver.glob("*/*/ledger.json")}
    copies = [home / driver.relative_to(os.environ["MALMOI_CACHE"]) for home in homes]
    assert made == {path.relative_to(copy) for copy in copies for path in copy.glob("*/*/ledger.json")} != set()
    assert made == {Path(one.path) for one in bucket.list_objects() if one.path.endswith("ledger.json")}
    others = [copy for copy in copies if copy != driver]
    assert not [copy for copy in others if (copy / "6-releases").exists()]  # what no job of a node reads


@dataclass(frozen=True, slots=True)
class CopyJob:
    """Copy a file into a new shard."""

    root: Path
    given: str

    @property
    def reads(self) -> tuple[Path, ...]:
        return ()

    @property
    def writes(self) -> Path:
        return Workspace(self.root).stage("3-clean", "k1")


def copy_file(job: CopyJob) -> str:
    """Run a CopyJob; return the path of the new file."""

    def fill(folder: Path) -> Ledger:
        text = Path(job.given).read_text()
        (folder / "a.txt").write_text(text)
        return Ledger("3-clean", "k1", {"a": 1}, {"a": 1}, {}, files=(File("a.txt", "", 1, len(text)),))

    Workspace(job.root).commit("3-clean", "k1", fill)
    return str(job.writes / "a.txt")


@dataclass
class Node:
    """A node in this process: another machine while it runs a task."""

    machine: Machine
    tasks: int = 0

    def run(self, task: bytes) -> bytes:
        self.tasks += 1
        self.machine("node")
        answer = run_on_node(task, worker_pool.count(), 1)
        self.machine("one")
        return answer


@pytest.fixture
def driver(place: str, machine: Machine) -> Workspace:
    """The workspace on the driver, with a file that jobs read."""
    with (workspace := Workspace.open(locate(place))).lock():
        workspace.terms.write_text("first")
    return workspace


def test_a_job_reads_and_writes_the_same_files_on_a_node(driver: Workspace, machine: Machine) -> None:
    job, node = CopyJob(driver.root, str(driver.terms)), Node(machine)
    with driver.lock():
        (answer,) = call_on(node, copy_file, [job])  # type: ignore[arg-type]
        assert answer == str(job.writes / "a.txt") and driver.ledger("3-clean", "k1") is not None
        assert Path(answer).read_text() == "first"


def test_a_node_does_not_use_what_has_changed_or_is_gone_since(driver: Workspace, machine: Machine) -> None:
    job, node = CopyJob(driver.root, str(driver.terms)), Node(machine)
    with driver.lock():
        call_on(node, copy_file, [job])  # type: ignore[arg-type]
    with driver.lock():
        shutil.rmtree(job.writes)
        driver.terms.write_text("second")
    with driver.lock():
        (answer,) = call_on(node, copy_file, [job])  # type: ignore[arg-type]
        assert Path(answer).read_text() == "second"


def test_a_node_whose_run_has_ended_writes_nothing_more(driver: Workspace, bucket: Bucket, machine: Machine) -> None:
    job = CopyJob(driver.root, str(driver.terms))
    with driver.lock():
        store = find_store([job])
    assert store is not None and store.token
    packed = pack(job)
    with driver.lock():  # of another run
        machine("node")
        with pytest.raises(StageError, match="the run for which this node works has ended or lost its lease"):
            run_at_node(copy_file, store)(unpack(packed))
        machine("one")
    assert not [one for one in bucket.list_objects() if one.path.startswith("3-clean")]


def test_the_half_of_a_folder_that_a_lost_node_uploaded_is_replaced(
    driver: Workspace, bucket: Bucket, machine: Machine
) -> None:
    job, node = CopyJob(driver.root, str(driver.terms)), Node(machine)
    with driver.lock():
        bucket.create("3-clean/k1/a.txt", b"fi")
        (answer,) = call_on(node, copy_file, [job])  # type: ignore[arg-type]
        assert Path(answer).read_text() == "first" and bucket.read("3-clean/k1/a.txt")[0] == b"first"  # type: ignore[index]


def count_parts(folder: Path) -> int:
    return len(list(folder.iterdir()))


def test_jobs_that_exchange_unfinished_files_run_on_the_driver(driver: Workspace, machine: Machine) -> None:
    node = Node(machine)
    with driver.lock(), driver.temporary_folder() as part:
        (part / "a").touch()
        assert call_on(node, count_parts, [part]) == [1] and not node.tasks  # type: ignore[arg-type]
    assert call_on(node, len, ["no path"]) == [7] and node.tasks == 1  # type: ignore[arg-type]


def test_a_node_with_another_storage_says_so(
    driver: Workspace, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, node = CopyJob(driver.root, str(driver.terms)), Node(machine)
    with driver.lock():
        task = NodeTask(pack((copy_file, (job,))), read_software(), find_store([job]))
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        works, error = unpack(node.run(pickle.dumps(task)))
        monkeypatch.undo()
    assert not works and "AWS_ENDPOINT_URL" in str(error) and platform.node() in str(error)
