"""Every flow takes s3://BUCKET/PREFIX as its workspace, and makes no folder that is called like an address."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from malmoi.storage.bucket import Bucket
from malmoi.storage.location import locate
from tests.bucket.papers_run import publish
from tests.builders.small_papers import PAPERS, written

Machine = Callable[[str], None]
# All flows, one after the other: the temporary server of Prefect costs more than they do.
SCRIPT = """
import sys
from flows import prefect_flows as flows
from prefect.flows import Flow

source, recipe, place = sys.argv[1:]
calls = {
    "collect": dict(sources=[source]),
    "curate": dict(recipe=recipe, sources=[source]),
    "release": dict(recipe=recipe, sources=[source]),
    "run": dict(recipe=recipe, sources=[source]),
    "refresh": dict(recipe=recipe, sources=[source]),
    "erase": dict(release="papers", kind="id", keys=["papers/31.txt"], reason="asked", dry_run=False),
}
found = {name for name, one in vars(flows).items() if isinstance(one, Flow)}
assert found == set(calls), f"add a call of {found - set(calls)}"
for name, parameters in calls.items():
    print(name, getattr(flows, name).with_options(validate_parameters=False)(**parameters, workspace=place))
"""


@pytest.mark.soak
def test_every_flow_works_over_a_bucket(place: str, machine: Machine, bucket: Bucket, tmp_path: Path) -> None:
    source, recipe = written(tmp_path / "papers", PAPERS)
    root = tmp_path / "clean"
    publish(source, recipe, str(root))
    (here := tmp_path / "here").mkdir()
    repository = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PYTHONPATH": str(repository),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
    }
    environment.pop("PREFECT_API_URL", None)
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, source, recipe, place],
        cwd=here, env=environment, capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert not [path.name for path in here.iterdir() if ":" in path.name]
    assert bucket.read("6-releases/papers/1.0.1/SHA256SUMS") is not None
    sums = "6-releases/papers/1.0.0/SHA256SUMS"
    assert bucket.read(sums)[0] == (root / sums).read_bytes()  # type: ignore[index]
    assert locate(place).exists() and "lease.json" not in {one.path for one in bucket.list_objects()}
