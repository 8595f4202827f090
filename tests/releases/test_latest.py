"""`latest` moves in one step after a version is complete; a kill at any moment and a second publisher lose nothing."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flows import release as releases
from malmoi.errors import CallError
from malmoi.releases import manifest as manifests
from malmoi.releases.verification import sha256sums
from malmoi.releases.version_history import point_latest, put_version
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LATEST
from tests.builders.small_papers import PAPERS, run, written
from tests.builders.withdrawn import withdraw

SEED = 20261128
# A publisher that is killed before or after its n-th call of the operating system that changes the file system.
CHILD = """
import os, signal, sys
from pathlib import Path
from malmoi.releases.version_history import put_version
from malmoi.workspace import Workspace
root, stop, when, calls = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], 0
def strike(real):
    def call(*given, **named):
        global calls
        calls += 1
        if calls == stop and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return real(*given, **named)
        finally:  # a folder that exists already raises
            if calls == stop:
                os.kill(os.getpid(), signal.SIGKILL)
    return call
for name in ("rename", "replace", "symlink", "unlink", "mkdir", "fsync"):
    setattr(os, name, strike(getattr(os, name)))
put_version(Workspace(root), root / "tmp" / "new", root / "6-releases" / "papers" / "1.1.0")
print(calls)
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two versions."""
    root = tmp_path_factory.mktemp("latest")
    source, recipe = written(root, {name: PAPERS[name] for name in ("13", "31")})
    home, *_ = run(source, recipe, root / "w")
    withdraw(home, ["papers/13.txt"])
    run(source, recipe, root / "w")
    return root / "w"


def unpublished(two: Path, root: Path) -> Path:
    """A copy of the workspace in which 1.1.0 is finished in tmp/, and not yet in its place."""
    shutil.copytree(two, root, symlinks=True)
    shutil.move(root / "6-releases" / "papers" / "1.1.0", root / "tmp" / "new")
    point_latest(root / "6-releases" / "papers")
    return root / "6-releases" / "papers"


def is_complete(folder: Path) -> bool:
    said = sha256sums.parse((folder / sha256sums.NAME).read_text(encoding="utf-8"))
    found = {sha256sums.relative_name(folder, path): path for path in sha256sums.entries(folder)}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == said


def test_latest_is_a_relative_link_to_the_newest_version_and_no_release_of_its_own(two: Path) -> None:
    link = two / "6-releases" / "papers" / "latest"
    assert link.readlink() == Path("1.1.0") and is_complete(link)
    folders = Workspace(two).release_folders(manifests.NAME)
    assert [folder.name for folder in folders] == ["1.0.0", "1.1.0"]
    assert [one.version for one in releases.read_history(Workspace(two)).names["papers"]] == ["1.0.0", "1.1.0"]


def test_latest_goes_to_the_highest_number_not_to_the_newest_folder(tmp_path: Path) -> None:
    for version in ("1.10.0", "1.9.0", "1.9.1"):
        (tmp_path / version).mkdir()
        (tmp_path / version / manifests.NAME).touch()
    (tmp_path / "2.0.0").mkdir()  # without a manifest: not a finished release
    point_latest(tmp_path)
    assert (tmp_path / "latest").readlink() == Path("1.10.0")


def test_a_folder_in_the_place_of_latest_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.0.0").mkdir()
    (tmp_path / "1.0.0" / manifests.NAME).touch()
    (tmp_path / "latest").mkdir()
    with pytest.raises(CallError, match="move it away"):
        point_latest(tmp_path)
    (tmp_path / "latest").rmdir()
    point_latest(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["1.0.0", "latest"]


def test_a_folder_that_repeats_a_version_as_copies_of_workspaces_have_it_becomes_a_link_again(
    two: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(two / "6-releases", tmp_path / "copy")) / "papers"  # follows links
    assert (copy / "latest").is_dir() and not (copy / "latest").is_symlink()
    point_latest(copy)
    assert (copy / "latest").readlink() == Path("1.1.0") and is_complete(copy / "latest")


def killed(root: Path, stop: int, when: str) -> int:
    command = [sys.executable, "-c", CHILD, root, stop, when]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return int(done.stdout) if done.stdout else 0


@pytest.mark.heavy
def test_killed_at_any_moment_of_the_move_readers_see_whole_versions_and_the_next_run_completes_it(
    two: Path, tmp_path: Path
) -> None:
    unpublished(two, tmp_path / "calm")
    calls = killed(tmp_path / "calm", 0, "before")
    moves = range(calls - 4, calls + 1)  # rename of the folder, its fsync, link, rename of the link, its fsync
    moments = [*moves, *random.Random(SEED).sample(range(1, calls - 4), 4)]
    seen = set()
    for number, (stop, when) in enumerate((stop, when) for stop in moments for when in ("before", "after")):
        root = tmp_path / f"w{number}"
        folder = unpublished(two, root)
        assert killed(root, stop, when) == 0
        whole = [path.name for path in Workspace(root).release_folders(manifests.NAME)]
        pointed = (folder / "latest").readlink().name
        assert all(is_complete(folder / name) for name in whole) and pointed in whole
        seen.add((tuple(whole), pointed))
        if (root / "tmp" / "new").exists():
            put_version(Workspace(root), root / "tmp" / "new", folder / "1.1.0")
        else:
            point_latest(folder)
        assert sorted(os.listdir(folder)) == ["1.0.0", "1.1.0", "latest"]
        assert (folder / "latest").readlink().name == "1.1.0" and is_complete(folder / "1.1.0")
        shutil.rmtree(root)
    both = ("1.0.0", "1.1.0")
    assert seen == {(("1.0.0",), "1.0.0"), (both, "1.0.0"), (both, "1.1.0")}


@pytest.mark.heavy
def test_of_two_publishers_one_wins_and_the_other_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share no lock, as on two machines: the other one's version appears just before ours is moved."""
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("13", "31")})
    home, *_, first = run(source, recipe, tmp_path / "w")
    withdraw(home, ["papers/13.txt"])
    theirs = first.folder.parent / "1.1.0"

    def meanwhile(workspace: Workspace, folder: Path, target: Path) -> None:
        shutil.copytree(first.folder, theirs)
        made = manifests.read(theirs)
        (theirs / manifests.NAME).write_text(replace(made, version="1.1.0").to_json(), encoding="utf-8")
        sha256sums.seal(theirs)
        put_version(workspace, folder, target)

    with monkeypatch.context() as patch:
        patch.setattr(releases, "put_version", meanwhile)
        with pytest.raises(CallError, match=r"papers 1\.1\.0 was published by another run meanwhile"):
            run(source, recipe, tmp_path / "w")
    assert manifests.read(theirs).documents == 2, "theirs is as they made it"
    *_, again = run(source, recipe, tmp_path / "w")
    assert (again.version, again.documents) == ("1.2.0", 1)
    assert (first.folder.parent / "latest").readlink().name == "1.2.0"


def test_a_second_run_in_the_same_workspace_is_told_who_holds_it_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    home = Workspace.open(tmp_path / "w")
    hold = f"from malmoi.workspace import Workspace\nfrom pathlib import Path\nwith Workspace(Path({str(home.root)!r}))"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{hold}.lock():\n    print(1, flush=True)\n    input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with child:
        assert child.stdout is not None and child.stdout.readline() == b"1\n"
        with (
            pytest.raises(CallError, match=rf"in use by another run \(process {child.pid} on .* since 20"),
            home.lock(),
        ):
            pass
        child.kill()
    with home.lock():  # the file of the killed process is still there
        assert f"process {os.getpid()}" in (home.root / ".lock").read_text(encoding="utf-8")


def test_a_run_with_nothing_new_repairs_the_link(two: Path, tmp_path: Path) -> None:
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("13", "31")})
    *_, first = run(source, recipe, tmp_path / "w")
    (first.folder.parent / LATEST).unlink()
    *_, again = run(source, recipe, tmp_path / "w")
    assert not again.new and (first.folder.parent / LATEST).readlink() == Path("1.0.0")
