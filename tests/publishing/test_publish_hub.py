"""Publishing to a dataset hub: nothing without --yes, one tagged commit with it, continued after a refusal.

The hub is a fake of its HTTP API with the client of huggingface_hub; the Xet protocol, which the client prefers where
`hf_xet` is installed, is switched off: nothing here shows that it works.
"""

from __future__ import annotations

import builtins
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from malmoi.releases.verification.sha256sums import seal
from tests.builders.small_corpus import malmoi, malmoi_in_process
from tests.builders.small_hub import Hub, run_hub
from tests.builders.small_release import sealed

TARGET = "hf://datasets/me/ko"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def hub() -> Iterator[tuple[Hub, str]]:
    pytest.importorskip("huggingface_hub")
    with run_hub() as found:
        yield found


def publish(release: Path, address: str, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(home), "HF_TOKEN": "hf_test", "HF_ENDPOINT": address}
    return malmoi("publish", release, TARGET, "--endpoint", address, "--yes", env=env, timeout=120)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_without_yes_the_plan_is_printed_and_nothing_is_sent(release: Path, hub: tuple[Hub, str]) -> None:
    done = malmoi_in_process("publish", release, TARGET, "--endpoint", hub[1])
    assert done.returncode == 0, done.stderr
    assert "to the dataset me/ko" in done.stdout and "tagged 1.0.0" in done.stdout and "add --yes" in done.stdout
    assert all(name in done.stdout for name in contents(release))
    assert len(hub[0].commits) == 1 and not hub[0].uploads and hub[0].private is None


def test_one_commit_has_the_files_of_the_release_and_the_tag_its_version(
    release: Path, hub: tuple[Hub, str], tmp_path: Path
) -> None:
    held, address = hub
    held.commits[0]["old/part.parquet"] = b"of the version before"
    done = publish(release, address, tmp_path)
    assert done.returncode == 0, done.stderr
    assert held.files("1.0.0") == contents(release) | {".gitattributes": b"* lfs"}
    assert held.messages[-1] == "sample 1.0.0" and len(held.commits) == 2 and held.private
    again = publish(release, address, tmp_path)
    assert "0 files copied" in again.stdout and len(held.commits) == 2, again.stderr


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize("call", ["/blob/", "/commit/", "/tag/"])
def test_an_upload_that_was_interrupted_is_continued_without_sending_files_twice(
    release: Path, hub: tuple[Hub, str], tmp_path: Path, call: str
) -> None:
    held, address = hub
    held.fail_at = (call, 1)
    first = publish(release, address, tmp_path)
    assert first.returncode == 3 and "run the same command again" in first.stderr
    assert "1.0.0" not in held.tags
    done = publish(release, address, tmp_path)
    assert done.returncode == 0, done.stderr
    assert held.files("1.0.0") == contents(release) | {".gitattributes": b"* lfs"}
    assert len(held.uploads) == len(set(held.uploads))


@pytest.mark.heavy
def test_a_tag_of_another_release_is_refused(release: Path, hub: tuple[Hub, str], tmp_path: Path) -> None:
    held, address = hub
    assert publish(release, address, tmp_path).returncode == 0
    other = Path(shutil.copytree(release, tmp_path / "other"))
    (other / "LICENSE.md").write_text("x", encoding="utf-8")
    seal(other)
    done = publish(other, address, tmp_path / "home")
    assert done.returncode == 2 and "is another release, and a release is never edited" in done.stderr
    assert held.files("1.0.0")["LICENSE.md"] == (release / "LICENSE.md").read_bytes()


def test_without_the_package_the_message_names_the_extra(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *given: object, **named: object) -> object:
        if name.startswith("huggingface_hub"):
            raise ImportError(name)
        return real(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    done = malmoi_in_process("publish", release, TARGET, "--yes")
    assert done.returncode == 2 and "pip install 'malmoi[hub]'" in done.stderr


def test_an_address_of_no_dataset_is_a_wrong_call(release: Path) -> None:
    done = malmoi_in_process("publish", release, "hf://me/ko")
    assert done.returncode == 2 and "write hf://datasets/OWNER/NAME" in done.stderr
