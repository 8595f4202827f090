"""What several tests share: the real corpora where they are, and a small corpus written for the tests."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # helpers beside the tests: small_site, small_corpus …

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.pop("PREFECT_API_URL", None)

CORPORA = Path(os.environ.get("MALMOI_CORPORA") or Path(__file__).resolve().parents[2] / "shared" / "corpora")


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


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the real corpora; tests that need it are skipped where it is absent."""
    if not CORPORA.is_dir():
        pytest.skip("the real corpora are not beside the project")
    return CORPORA
