"""`malmoi contains` reads the release of a stranger in a process with limits, and its faults keep their status."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import limited_process
from malmoi.limits import InputLimit
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import sealed

ADDRESS = "https://ga.example.kr/1"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("release"))


def test_a_work_is_found_by_address_and_by_a_text_of_any_length(release: Path, tmp_path: Path) -> None:
    said = malmoi_in_process("contains", release, "--url", ADDRESS)
    assert said.stdout.startswith("yes: ") and "ga/1" in said.stdout
    (tmp_path / "long.txt").write_text("없는 글이다. " * 100_000, encoding="utf-8")
    assert malmoi_in_process("contains", release, "--text", tmp_path / "long.txt").stdout.startswith("no: ")


def test_a_release_beyond_a_limit_gives_no_answer(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_process.limits, "VERIFY_SECONDS", InputLimit("verify_seconds", 0, "seconds", ""))
    monkeypatch.setattr(limited_process, "_SIZE_PER_SECOND", 1 << 60)
    monkeypatch.setattr(limited_process, "_PATIENCE", 1)
    done = malmoi_in_process("contains", release, "--url", ADDRESS)
    assert done.returncode == 1 and done.stdout == "" and "verify_seconds" in done.stderr


def test_a_link_out_of_the_release_is_not_read(release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    (copy / "audit/members.parquet").unlink()
    (copy / "audit/members.parquet").symlink_to(release / "audit/members.parquet")
    done = malmoi_in_process("contains", copy, "--url", ADDRESS)
    assert done.returncode == 1 and "not a plain file" in done.stderr


def test_a_release_that_cannot_answer_is_a_wrong_call(release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    (copy / "audit/members.parquet").unlink()
    done = malmoi_in_process("contains", copy, "--url", ADDRESS)
    assert done.returncode == 2 and "publish it again" in done.stderr
