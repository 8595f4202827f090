"""Two hosts over one folder: the cable of one is pulled during the run, and the release has the same bytes.

A host is a network namespace, so the other one neither closes its connections nor answers: the engine has to notice.
The host that was cut off lives on and may finish what it has begun; it writes into the same folder.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

from tests.builders.small_corpus import make, sums

pytestmark = pytest.mark.soak

BIN = Path(sys.executable).parent
HEAD, NODE = "10.231.7.1", "10.231.7.2"  # private addresses that exist in the two namespaces only
SECONDS = 900  # of a run that loses a host, at most
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "30s"}
CLUSTERS = {
    "dask": (
        f"tcp://{HEAD}:8786",
        (
            (HEAD, f"dask scheduler --host {HEAD} --port 8786 --no-dashboard"),
            (HEAD, f"dask worker tcp://{HEAD}:8786 --host {HEAD} --nthreads 1 --no-dashboard"),
            (NODE, f"dask worker tcp://{HEAD}:8786 --host {NODE} --nthreads 1 --no-dashboard"),
        ),
    ),
    "ray": (
        f"{HEAD}:6379",
        (
            (
                HEAD,
                f"ray start --head --node-ip-address {HEAD} --port 6379 --num-cpus 1 --object-store-memory 104857600 "
                "--include-dashboard=false --disable-usage-stats --block",
            ),
            (
                NODE,
                f"ray start --address {HEAD}:6379 --node-ip-address {NODE} --num-cpus 1 "
                "--object-store-memory 104857600 --disable-usage-stats --block",
            ),
        ),
    ),
}


def call(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=30)


class Hosts:
    """Two network namespaces with a cable between them."""

    def __init__(self, folder: Path) -> None:
        mark, self.folder, self.started = uuid.uuid4().hex[:6], folder, []
        self.names = {HEAD: f"mm{mark}a", NODE: f"mm{mark}b"}
        for name in self.names.values():
            call("ip", "netns", "add", name)
        head, node = self.names.values()
        call("ip", "link", "add", head, "netns", head, "type", "veth", "peer", "name", node, "netns", node)
        for address, name in self.names.items():
            call("ip", "-n", name, "address", "add", f"{address}/24", "dev", name)
            for link in (name, "lo"):
                call("ip", "-n", name, "link", "set", link, "up")

    def start(self, address: str, *command: str | Path) -> subprocess.Popen:
        """Start a command on a host; its output goes into a file."""
        log = self.folder / f"log-{len(self.started)}.txt"
        with log.open("wb") as to:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.names[address], *map(str, command)],
                stdout=to, stderr=to, cwd=self.folder, env=os.environ | QUIET, start_new_session=True,
            )  # fmt: skip
        self.started.append(process)
        return process

    def logs(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in sorted(self.folder.glob("log-*.txt")))

    def processes(self, address: str) -> list[psutil.Process]:
        found = subprocess.run(["ip", "netns", "pids", self.names[address]], capture_output=True, text=True, check=True)
        return [psutil.Process(int(pid)) for pid in found.stdout.split() if psutil.pid_exists(int(pid))]

    def find(self, address: str, words: str) -> list[psutil.Process]:
        """Return the processes of a host whose command contains `words`."""
        found = []
        for process in self.processes(address):
            with contextlib.suppress(psutil.NoSuchProcess):
                if words in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def works(self, address: str) -> bool:
        """Whether a host has begun a task: it has started a fork server for its worker processes."""
        return bool(self.find(address, "fork_server"))

    def pull_cable(self) -> None:
        call("ip", "-n", self.names[NODE], "link", "set", self.names[NODE], "down")

    def close(self) -> None:
        for address, name in self.names.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in self.processes(address):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.send_signal(signal.SIGKILL)
            call("ip", "netns", "del", name)
        for process in self.started:
            process.wait()


@pytest.fixture
def hosts(tmp_path):
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the command ip")
    made = Hosts(tmp_path)
    yield made
    made.close()


def wait_until(true, seconds: float, hosts: Hosts) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, hosts.logs()
        time.sleep(0.1)


@pytest.fixture
def begun(request, hosts, tmp_path):
    """The source, and the command of a run on both hosts whose second host has begun a task."""
    source, (address, commands) = make(tmp_path, 60), CLUSTERS[request.param]
    malmoi = (sys.executable, "-m", "flows.cli.main", "run", "general", "--source", source)
    alone = hosts.start(HEAD, *malmoi, "--workspace", tmp_path / "alone", "--workers", 1)
    assert alone.wait(SECONDS) == 0, hosts.logs()
    for host, command in commands:
        name, *options = command.split()
        hosts.start(host, BIN / name, *options)
        time.sleep(15)  # a driver takes the nodes that it finds when it connects
    run = hosts.start(HEAD, *malmoi, "--workspace", tmp_path / "ws", "--engine", request.param, "--address", address)
    wait_until(lambda: hosts.works(NODE) or run.poll() is not None, 300, hosts)
    assert run.poll() is None, hosts.logs()
    return malmoi, run


@pytest.mark.parametrize("begun", ["dask", "ray"], indirect=True)
def test_a_host_whose_cable_is_pulled_is_survived(begun, hosts, tmp_path):
    _, run = begun
    hosts.pull_cable()
    assert run.wait(SECONDS) == 0, hosts.logs()
    assert sums(tmp_path / "ws") == sums(tmp_path / "alone")


@pytest.mark.parametrize(("begun", "head"), [("dask", "dask scheduler"), ("ray", "gcs_server")], indirect=["begun"])
def test_a_cluster_whose_head_is_killed_ends_the_command_and_the_next_one_continues(begun, head, hosts, tmp_path):
    malmoi, run = begun
    for process in hosts.find(HEAD, head):
        process.kill()
    assert run.wait(SECONDS) == 3, hosts.logs()
    assert "Finished work is kept" in hosts.logs()
    again = hosts.start(HEAD, *malmoi, "--workspace", tmp_path / "ws", "--workers", 1)
    assert again.wait(SECONDS) == 0, hosts.logs()
    assert sums(tmp_path / "ws") == sums(tmp_path / "alone")
