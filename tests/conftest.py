"""What all tests share: no telemetry, no deadline by the clock, and skips that count under the gate."""

import gc
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.builders import forked_process

sys.path.insert(0, str(Path(__file__).parent / "builders"))  # a worker preloads `dies_when_imported` by its name

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.pop("PREFECT_API_URL", None)

# How long an example takes by the clock says how busy the machine is; tests of cost compare CPU time.
settings.register_profile("no-clock", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("no-clock")


def pytest_configure():
    """Flush nothing to the disk: tests/faults simulates power cuts, and a flush costs 6 ms, a sync a second."""
    os.fsync, os.sync = os.fstat, lambda: None  # fstat also refuses what is no open file


@pytest.fixture(scope="session", autouse=True)
def _fork_processes():
    """Crawls, and processes that read releases, are forks; what is about such a process itself starts `malmoi`."""
    forked_process.fork_crawlers()
    forked_process.fork_readers()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test marked `one_case_in(n)`, whose cases all go the same way, all cases but each n-th are heavy."""
    number = Counter()
    for item in items:
        if mark := item.get_closest_marker("one_case_in"):
            name = item.nodeid.split("[")[0]
            if number[name] % mark.args[0]:
                item.add_marker(pytest.mark.heavy)
            number[name] += 1


def pytest_collection_finish():
    """Keep the thousands of collected tests out of each garbage collection: a twelfth of the CPU time."""
    gc.freeze()


def pytest_runtest_makereport(item, call):
    """Under MALMOI_REQUIRE_ALL a skipped test is a failure: the gate must have everything that tests need."""
    if (
        os.environ.get("MALMOI_REQUIRE_ALL") == "1"
        and call.excinfo is not None
        and call.excinfo.errisinstance(pytest.skip.Exception)
    ):
        call.excinfo = pytest.ExceptionInfo.from_exc_info(
            (AssertionError, AssertionError(f"skipped under MALMOI_REQUIRE_ALL: {call.excinfo.value}"), call.excinfo.tb)
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process more than there are cores: politeness, time-outs and kills are waited for."""
    from malmoi.processes.workers import cores

    return cores() + 1
