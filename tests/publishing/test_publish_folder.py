"""Publishing to a folder: whole or not at all, continued after a kill, and refused where bytes differ."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from malmoi.errors import CallError, DataError
from malmoi.releases.distribution import LAST, publish_to_folder, read_payload
from malmoi.releases.verification.sha256sums import seal
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import sealed

SEED = 20261128
# A publisher that is killed at its n-th call of the operating system that changes the file system.
CHILD = """
import os, signal, sys
from pathlib import Path
from malmoi.releases.distribution import publish_to_folder
from malmoi.releases.distribution import read_payload
stop, calls = int(sys.argv[3]), 0
def strike(real):
    def call(*given, **named):
        global calls
        calls += 1
        if calls == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)
    return call
for name in ("rename", "replace", "symlink", "unlink", "mkdir", "fsync"):
    setattr(os, name, strike(getattr(os, name)))
publish_to_folder(read_payload(Path(sys.argv[1])), Path(sys.argv[2]))
print(calls)
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("publish"))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_copy_has_the_same_bytes_and_latest_leads_to_it(release: Path, tmp_path: Path) -> None:
    done = malmoi_in_process("publish", release, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    copy = tmp_path / "out" / "sample" / "1.0.0"
    assert contents(copy) == contents(release) and (copy.parent / "latest").readlink() == Path("1.0.0")
    assert malmoi_in_process("verify", copy.parent / "latest").returncode == 0
    again = malmoi_in_process("publish", release, tmp_path / "out")
    assert f"0 files copied, {len(contents(release))} there already" in again.stdout


def test_manifest_signature_and_sums_are_copied_last_and_the_signature_needs_no_line_in_the_sums(
    release: Path, tmp_path: Path
) -> None:
    signed = Path(shutil.copytree(release, tmp_path / "signed"))
    for name in ("manifest.dsse.json", "manifest.dsse.json.tsr"):
        (signed / name).write_text("{}", encoding="utf-8")
    payload = read_payload(signed)
    assert tuple(item.path for item in payload.items[-4:]) == LAST
    publish_to_folder(payload, tmp_path / "out")
    assert contents(tmp_path / "out" / "sample" / "1.0.0") == contents(signed)


@pytest.mark.heavy
def test_killed_at_seeded_moments_the_copy_is_invisible_and_the_next_call_completes_it(
    release: Path, tmp_path: Path
) -> None:
    def run(target: Path, stop: int) -> int:
        command = [sys.executable, "-c", CHILD, str(release), str(target), str(stop)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return int(done.stdout or 0)

    calls = run(tmp_path / "calm", 0)
    expected = contents(tmp_path / "calm" / "sample" / "1.0.0")
    for stop in sorted({*random.Random(SEED).sample(range(1, calls), 6), *range(calls - 4, calls + 1)}):
        target = tmp_path / f"t{stop}"
        assert run(target, stop) == 0
        final = target / "sample" / "1.0.0"
        assert not final.exists() or contents(final) == expected
        assert not (target / "sample" / "latest").is_symlink() or contents(target / "sample" / "latest") == expected
        done = publish_to_folder(read_payload(release), target)
        assert done.copied + done.kept == len(expected) and contents(final) == expected
        assert sorted(os.listdir(target / "sample")) == [".publishing", "1.0.0", "latest"]
        assert done.kept > 0 or stop < calls // 4, "what was copied before the kill stays"


def test_an_older_version_published_later_does_not_take_latest(release: Path, tmp_path: Path) -> None:
    (tmp_path / "sample" / "1.2.0").mkdir(parents=True)
    (tmp_path / "sample" / "1.2.0" / "manifest.json").touch()
    publish_to_folder(read_payload(release), tmp_path)
    assert (tmp_path / "sample" / "latest").readlink() == Path("1.2.0")


def test_a_version_that_is_there_with_other_bytes_stays(release: Path, tmp_path: Path) -> None:
    publish_to_folder(read_payload(release), tmp_path / "out")
    other = Path(shutil.copytree(release, tmp_path / "other"))
    (other / "LICENSE.md").write_text("x", encoding="utf-8")
    seal(other)
    with pytest.raises(CallError, match=r"has this version with another LICENSE\.md"):
        publish_to_folder(read_payload(other), tmp_path / "out")
    assert contents(tmp_path / "out" / "sample" / "1.0.0") == contents(release)


def test_a_second_publisher_is_told_who_is_publishing(release: Path, tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    hold = "from pathlib import Path\nfrom malmoi.storage.locks import hold_lock\n"
    hold += f"with hold_lock(Path({str(tmp_path / 'sample' / '.publishing')!r}), Exception):\n"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{hold}    print(1, flush=True)\n    input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with child:
        assert child.stdout is not None and child.stdout.readline() == b"1\n"
        with pytest.raises(CallError, match=rf"another publisher \(process {child.pid} on .*\); wait for it"):
            publish_to_folder(read_payload(release), tmp_path)
        child.kill()
    assert publish_to_folder(read_payload(release), tmp_path).kept == 0


def damage(name: str, text: str | None) -> object:
    def apply(folder: Path) -> None:
        (folder / name).unlink() if text is None else (folder / name).write_text(text, encoding="utf-8")

    return apply


@pytest.mark.parametrize(
    ("apply", "says"),
    [
        (damage("README.md", None), "README.md is missing or extra"),
        (damage("data/more.txt", "x"), "more.txt is missing or extra"),
        (damage("LICENSE.md", "x"), "LICENSE.md: differs from SHA256SUMS"),
        (damage("SHA256SUMS", "x"), "cannot be read"),
        (damage("manifest.json", "{"), "not a manifest"),
    ],
)
def test_a_damaged_release_is_not_published(release: Path, tmp_path: Path, apply, says: str) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    apply(copy)
    with pytest.raises(DataError, match=says):
        publish_to_folder(read_payload(copy), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*/latest")) and not list((tmp_path / "out").glob("*/1.0.0"))


def test_a_name_that_leads_out_of_the_target_is_refused(release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    text = (copy / "manifest.json").read_text(encoding="utf-8")
    (copy / "manifest.json").write_text(text.replace('"name": "sample"', '"name": "../../evil"'), encoding="utf-8")
    seal(copy)
    with pytest.raises(DataError, match="cannot be a folder"):
        read_payload(copy)


def test_what_is_no_target_is_a_wrong_call(release: Path) -> None:
    done = malmoi_in_process("publish", release, "ftp://a/b")
    assert done.returncode == 2 and "name a folder, s3://BUCKET/PREFIX or hf://datasets/OWNER/NAME" in done.stderr
