"""What stops the installation of alerts, and a probe, is said with what to do."""

import os
import subprocess
import sys

import pytest

from flows import source_files
from flows.deployments import alerts
from malmoi.errors import CallError
from malmoi.workspace import Workspace
from tests.builders.small_corpus import make


def test_an_address_that_no_webhook_has_is_refused():
    with pytest.raises(CallError, match="export the webhook"):
        alerts.install("hooks.office.example")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("server", "says"),
    [
        ({}, "export PREFECT_API_URL, and run again"),
        ({"PREFECT_API_URL": "http://127.0.0.1:9/api"}, "refused or did not answer"),
    ],
)
def test_alerts_need_a_server_that_answers(server, says, tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API")}
    env |= {"PREFECT_HOME": str(tmp_path), "MALMOI_ALERT_URL": "https://hooks.office.example/x", **server}
    done = subprocess.run(
        [sys.executable, "-m", "flows.deployments.alerts"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode in (2, 3), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_probe_names_the_file_that_is_not_there(tmp_path):
    source = make(tmp_path, 1)
    home = Workspace.open(tmp_path / "ws")
    source_files.probe(home, str(source), None)
    (tmp_path / "pages").rename(tmp_path / "moved")
    with pytest.raises(CallError, match="does not exist; correct the path"):
        source_files.probe(home, str(source), None)
