"""`malmoi inspect` serves its page on loopback, goes on after a kill, and reports filled sheets."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.review import inspection
from flows.review.server import TOKEN
from malmoi.releases import manifest
from malmoi.releases.sampling.inspection import Reading
from malmoi.workspace import Workspace
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import sealed

DAY = "2026-11-28"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release of 24 documents in the workspace `w`."""
    made = sealed(tmp_path)
    facts = manifest.read(made)
    target = Workspace.open(tmp_path / "w").releases(facts.name) / facts.version
    target.parent.mkdir(parents=True)
    return made.rename(target)


@contextmanager
def start(release: Path, out: Path) -> Iterator[tuple[subprocess.Popen, str, str]]:
    """Run `malmoi inspect`; give the process, the address and the secret."""
    command = [sys.executable, "-m", "flows.cli.main", "inspect", release, "--seed", "a", "--size", "5"]
    command += ["--reader", "kim", "--out", out]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        found = re.search(r"(http://127\.0\.0\.1:\d+/)#token=(\S+)", done.stdout.readline())
        assert found, done.stderr.read()
        yield done, found[1], found[2]
    finally:
        done.kill()
        done.communicate()


def ask(address: str, token: str, path: str, body: object = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {TOKEN: token, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address + path, data, headers), timeout=20) as answer:
        return json.load(answer)


@pytest.mark.heavy
def test_what_was_saved_survives_a_kill(release: Path, tmp_path: Path) -> None:
    out = tmp_path / "inspection"
    with start(release, out) as (process, address, token):
        ask(address, token, "api/answer", {"at": 0, "yes": ["artefacts"]})
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
    assert stat.S_IMODE((out / "kim.csv").stat().st_mode) == 0o600  # texts of a release may be held back
    with start(release, out) as (process, address, token):
        assert ask(address, token, "api/sheet")["read"] == [True, False, False, False, False]
        assert ask(address, token, "api/document?at=0")["yes"] == ["artefacts"]
        process.send_signal(signal.SIGINT)
        said, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "") and f"The answers are in {out / 'kim.csv'}." in said


def test_rates_intervals_and_agreement_are_printed_and_kept(release: Path, tmp_path: Path) -> None:
    for reader, yes in (("kim", (0, 1)), ("lee", (0, 2))):
        options = ("--seed", "a", "--size", 10, "--reader", reader, "--list", "--out", tmp_path / "i")
        done = malmoi_in_process("inspect", release, *options)
        assert done.returncode == 0 and f"10 documents. Read documents.txt, and fill in {reader}.csv." in done.stdout
        sheet = inspection.open_sheet(release, tmp_path / "i", ("a", 10), reader)
        said = [Reading(one.id, ("artefacts",) if n in yes else (), reader, DAY) for n, one in enumerate(sheet.texts)]
        sheet.write(said)
    sheets = (tmp_path / "i" / "kim.csv", tmp_path / "i" / "lee.csv")
    done = malmoi_in_process("inspect", "--read", *sheets, "--workspace", tmp_path / "w")
    assert done.returncode == 0
    first, *lines = done.stdout.splitlines()
    assert first.endswith(".json: 10 documents, 2 readers.")
    shown = [re.sub(" +", " ", line).strip() for line in lines]
    assert shown[0] == "other language 0.00 % 95 % interval 0.00 to 27.75 % agreement 100.00 %, kappa not defined"
    assert shown[1] == "artefacts 20.00 % 95 % interval 5.67 to 50.98 % agreement 80.00 %, kappa 0.38"
    done = malmoi_in_process("inspect", "--read", sheets[1], "--workspace", tmp_path / "w")
    assert done.returncode == 0 and "agreement" not in done.stdout


def test_a_sheet_of_another_release_is_refused(release: Path, tmp_path: Path) -> None:
    options = ("--seed", "a", "--size", 5, "--reader", "kim", "--list", "--out", tmp_path / "i")
    assert malmoi_in_process("inspect", release, *options).returncode == 0
    facts = json.loads((tmp_path / "i" / "sample.json").read_text(encoding="utf-8"))
    assert facts["root"] == manifest.read(release).root
    (tmp_path / "i" / "sample.json").write_text(json.dumps(facts | {"root": "0" * 64}), encoding="utf-8")
    done = malmoi_in_process("inspect", release, *options)
    assert done.returncode == 2 and "holds the sheets of" in done.stderr and "give another folder" in done.stderr
    done = malmoi_in_process("inspect", "--read", tmp_path / "i" / "kim.csv", "--workspace", tmp_path / "w")
    assert done.returncode == 2 and "is not in" in done.stderr
