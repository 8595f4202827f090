"""On a cluster the same jobs run on other nodes, survive lost ones, and give the same bytes."""

import logging
import os
import pickle
import signal
import socket
from pathlib import Path

import pytest

from flows.engine import worker_pool
from flows.engine.clusters import (
    DaskEngine,
    NodeTask,
    cut_groups,
    open_mapper,
    pack,
    read_software,
    run_on_node,
    unpack,
)
from malmoi.errors import CallError, StageError
from tests.builders.small_corpus import make, malmoi, sums

pytestmark = pytest.mark.heavy

STORE = 100 << 20  # bytes of Ray's object store on a node; results here are small


@pytest.fixture(scope="module")
def ray_cluster():
    """A Ray cluster of two nodes with one core each, on this machine."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=STORE, include_dashboard=False)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def dask_cluster():
    """A Dask cluster of two workers with one thread each, on this machine."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A source, and the checksums of the release that this machine makes of it."""
    source = make(tmp_path_factory.mktemp("corpus"), 12)
    home = tmp_path_factory.mktemp("local")
    done = malmoi("run", "general", "--source", source, "--workspace", home / "ws", "--workers", 2)
    assert done.returncode == 0, done.stderr
    return source, sums(home / "ws")


def address_of(engine: str, request) -> str:
    cluster = request.getfixturevalue(f"{engine}_cluster")
    return cluster.address if engine == "ray" else cluster.scheduler_address


@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_an_engine_gives_the_same_release_as_this_machine(engine, corpus, tmp_path, request):
    source, local = corpus
    done = malmoi(
        "run", "general", "--source", source.name, "--workspace", tmp_path / "ws",
        "--engine", engine, "--address", address_of(engine, request), cwd=source.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sums(tmp_path / "ws") == local


def name_process(number: int) -> tuple[int, int]:
    return number, os.getpid()


def die_once(mark: Path) -> int:
    """Kill the process of the engine in which this runs, but only the first time."""
    if mark.exists():
        return os.getpid()
    mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fail(number: int) -> None:
    raise StageError(f"job {number} fails; run it again.")


@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_results_come_in_order_from_other_processes_and_errors_as_themselves(engine, request):
    with open_mapper(engine, address_of(engine, request)) as mapper:
        seen = []
        results = mapper(name_process, range(9), seen.append)
        assert [number for number, _ in results] == list(range(9))
        assert seen == results
        assert os.getpid() not in {pid for _, pid in results}
        with pytest.raises(StageError, match="job 3 fails"):
            mapper(fail, [3])


@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_a_job_whose_process_is_killed_runs_again_elsewhere(engine, request, tmp_path):
    with open_mapper(engine, address_of(engine, request)) as mapper:
        (pid,) = mapper(die_once, [tmp_path / "mark"])
    assert (tmp_path / "mark").exists()
    assert pid != os.getpid()


def test_a_node_with_other_software_is_refused_by_name():
    other = (*(pair for pair in read_software() if pair[0] != "pyarrow"), ("pyarrow", "1.0.0"))
    done, error = unpack(run_on_node(pickle.dumps(NodeTask(pack((name_process, (1,))), other)), worker_pool.count(), 1))
    assert not done
    assert "pyarrow" in str(error)
    assert "instead of 1.0.0" in str(error)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("--engine", "dask", "--address", "tcp://127.0.0.1:9"), "no Dask scheduler answers"),
        (("--engine", "dask", "--address", "nonsense"), "no Dask scheduler answers"),
        (("--engine", "ray", "--address", "127.0.0.1:9"), "no Ray cluster answers"),
        (("--address", "127.0.0.1:9"), "--engine ray or --engine dask"),
        (("--engine", "spark"), "Invalid value"),
    ],
)
def test_an_engine_that_does_not_answer_is_an_error_of_the_call(call, says, corpus, tmp_path):
    done = malmoi("run", "general", "--source", corpus[0], "--workspace", tmp_path / "ws", *call)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ws").exists()


def test_a_trial_with_ray_makes_a_token_of_its_own_so_that_ray_leaves_none_in_the_home_folder(monkeypatch):
    import ray

    tokens = []

    def refuse(**_):
        tokens.append(os.environ["RAY_AUTH_TOKEN"])
        raise RuntimeError("no more memory")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "")  # removed again at the end
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    with pytest.raises(CallError, match="no more memory"), open_mapper("ray"):
        pass
    assert len(tokens[0]) == 64


def test_a_ray_cluster_that_refuses_the_token_is_one_error_at_once_that_says_how_to_give_it(monkeypatch):
    from ray.exceptions import AuthenticationError

    def refuse(**_):
        raise AuthenticationError("InvalidAuthToken")

    monkeypatch.setattr("ray._raylet.GcsClient", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(CallError, match="RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH"), open_mapper("ray", address):
            pass


def logs_errors() -> bool:
    return logging.getLogger("distributed.worker").isEnabledFor(logging.ERROR)


def test_the_workers_of_a_trial_with_dask_log_nothing_while_they_end():
    engine, found = DaskEngine(""), []
    client = engine._client
    assert list(client.run(logs_errors).values()) == [True]
    close = client.close
    client.close = lambda: (found or found.extend(client.run(logs_errors).values()), close())
    engine.close()
    assert found == [False]


@pytest.mark.parametrize(("jobs", "most"), [(0, 250), (1, 250), (250, 250), (251, 250), (100_000, 250)])
def test_a_stage_is_cut_into_a_bounded_number_of_groups(jobs, most):
    groups = cut_groups(range(jobs), most)
    assert len(groups) <= most
    assert [job for group in groups for job in group] == list(range(jobs))
