"""What is done stands whole; what is half done is as if it had never been begun."""

import subprocess
import sys
from pathlib import Path

import pytest

from malmoi.errors import CallError, StageError
from malmoi.ledger import File, Ledger
from malmoi.storage import atomic_files
from malmoi.workspace import Workspace


def fill(text: str):
    def write(folder):
        (folder / "a.txt").write_text(text)
        return Ledger("3-clean", "k1", {"a": 1}, {"a": 1}, {}, files=(File("a.txt", "", 1, len(text)),))

    return write


def test_a_folder_stands_only_with_its_ledger(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    assert workspace.ledger("3-clean", "k1") is None
    workspace.commit("3-clean", "k1", fill("once"))
    assert workspace.ledger("3-clean", "k1") is not None
    assert (workspace.stage("3-clean", "k1") / "a.txt").read_text() == "once"


def test_what_stands_is_not_written_again(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    workspace.commit("3-clean", "k1", fill("once"))
    workspace.commit("3-clean", "k1", fill("more"))
    assert (workspace.stage("3-clean", "k1") / "a.txt").read_text() == "once"


def test_a_failure_leaves_nothing_behind(tmp_path):
    workspace = Workspace.open(tmp_path / "w")

    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        workspace.commit("3-clean", "k1", fail)
    assert workspace.ledger("3-clean", "k1") is None
    assert list(workspace.tmp.iterdir()) == []


def test_a_missing_file_is_named_and_how_to_mend_it(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    workspace.commit("3-clean", "k1", fill("once"))
    (workspace.stage("3-clean", "k1") / "a.txt").unlink()
    with pytest.raises(StageError, match=r"a\.txt: missing .* Delete"):
        workspace.ledger("3-clean", "k1")


def test_two_runs_do_not_write_into_one_workspace(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    with workspace.lock(), pytest.raises(CallError, match="in use"), workspace.lock():
        pass


def test_leftovers_of_a_killed_run_are_swept(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    (workspace.tmp / "old").mkdir()
    (workspace.tmp / "old" / "x").write_text("x")
    with workspace.lock():
        assert list(workspace.tmp.iterdir()) == []


def test_files_that_a_killed_run_had_not_renamed_are_deleted_wherever_they_are(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    name = "0123456789abcdef" * 2
    left = [f"reports/.a.html.{name}", f"3-clean/k/.matches.json.{name}", f"6-releases/a/1.0.0/.withdrawn.json.{name}"]
    kept = ["reports/a.html", "3-clean/k/.other", f"6-releases/a/1.0.0/data/.a.{name}"]  # releases are not searched
    for path in (*left, *kept):
        (workspace.root / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / path).write_text("x")
    with workspace.lock():
        assert [path for path in left if (workspace.root / path).exists()] == []
        assert all((workspace.root / path).exists() for path in kept)


def test_a_workspace_whose_making_was_killed_is_made_again(tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".malmoi.json.0123abcd").write_text('{"form')
    workspace = Workspace.open(tmp_path / "w")
    with workspace.lock():
        assert not list(workspace.root.glob(".malmoi.json.*"))


@pytest.mark.heavy
def test_runs_that_create_one_workspace_at_once_all_use_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; from malmoi.workspace import Workspace; "
        "from malmoi.storage.locks import LockRequest, request_locks\n"
        "for line in sys.stdin:\n"
        "    with request_locks(LockRequest(seconds=60)), Workspace.open(Path(line.strip())).lock(): pass\n"
        "    print(line, end='', flush=True)"
    )
    run = [sys.executable, "-c", code]
    runs = [subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for number in range(20):
        root = tmp_path / "new" / str(number)
        for one in runs:
            one.stdin.write(f"{root}\n")
        for one in runs:  # all at once: each has started, and waits for a line
            one.stdin.flush()
        assert [one.stdout.readline() for one in runs] == [f"{root}\n"] * 4
        assert sorted(path.name for path in root.iterdir()) == [".lock", "malmoi.json", "tmp"]
    assert [one.communicate()[0] for one in runs] == [""] * 4


def test_a_file_that_is_swept_before_it_has_its_name_is_written_again(tmp_path, monkeypatch):
    swept = []

    def sweep(part):
        if part.is_file() and len(swept) < 3:
            swept.append(part.unlink())

    monkeypatch.setattr(atomic_files, "sync", sweep)
    atomic_files.replace_file(tmp_path / "a.json", "{}")
    assert len(swept) == 3 and [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_of_somebody_else_is_not_taken_for_a_workspace(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CallError, match="not a Malmoi workspace"):
        Workspace.open(tmp_path)


def test_the_workspace_of_the_demo_does_not_keep_the_default_one_from_being_made(tmp_path):
    Workspace.open(tmp_path / "workspace" / "demo")
    assert Workspace.open(tmp_path / "workspace").root == tmp_path / "workspace"
    (tmp_path / "other" / "demo").mkdir(parents=True)
    with pytest.raises(CallError, match="not a Malmoi workspace"):
        Workspace.open(tmp_path / "other")


def test_a_workspace_of_another_layout_is_refused(tmp_path):
    Workspace.open(tmp_path / "w")
    (tmp_path / "w" / "malmoi.json").write_text('{"format": 99}')
    with pytest.raises(CallError, match="layout 99"):
        Workspace.open(tmp_path / "w")


def test_a_new_workspace_is_closed_to_others(tmp_path):
    home = Workspace.open(tmp_path / "w")
    home.put(home.survey("s"), lambda folder: (folder / "table").write_text("x", encoding="utf-8"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (home.root, *home.root.rglob("*"))}
    assert {name: f"{mode:o}" for name, mode in modes.items() if mode & 0o077} == {}
    assert home.root.stat().st_mode & 0o777 == 0o700


def test_a_workspace_that_others_could_enter_is_closed_when_it_is_opened(tmp_path):
    root = Workspace.open(tmp_path / "w").root
    root.chmod(0o755)
    Workspace.open(root)
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_workspace_of_somebody_else_that_others_can_read_is_refused_with_the_command_that_helps(
    tmp_path, monkeypatch
):
    root = Workspace.open(tmp_path / "w").root
    root.chmod(0o755)

    def denied(path, mode):
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "chmod", denied)
        with pytest.raises(CallError, match=f"chmod 700 {root}"):
            Workspace.open(root)
    root.chmod(0o700)  # what the message says
    assert Workspace.open(root).root == root
