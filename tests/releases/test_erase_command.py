"""`malmoi erase` and `malmoi withdrawals`: what they print, write and refuse."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from malmoi import erasure_plan
from malmoi.erasure import tombstones
from malmoi.workspace import Workspace
from tests.builders.small_papers import PAPERS, data, run, written

SENTENCE = PAPERS["13"].splitlines()[10]  # of no other paper
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    source, recipe = written(root, {name: PAPERS[name] for name in ("02", "13", "31", "32")})
    run(source, recipe, root / "w")
    return root / "w"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(made, tmp_path / "w")
    return Workspace.open(tmp_path / "w")


@pytest.fixture
def call(workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    def call(*arguments: Any, said: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        given = [*map(str, arguments), "--workspace", str(workspace.root)]
        status = main.run_guarded(
            lambda: main.app(given, exit_on_error=False, print_error=False, result_action="return_value")
        )
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and p.name != ".lock"}


def test_a_dry_run_names_documents_and_copies_and_writes_nothing(workspace: Workspace, call: Call) -> None:
    before = files(workspace.root)
    status, out, _ = call("erase", "papers", "--id", "papers/31.txt", "--reason", "요청", "--dry-run")
    assert status == 0 and "papers: 1 document of the latest version\n  papers/31.txt\n" in out
    assert "near-duplicates: 1, not erased; add --copies to take them along\n  papers/32.txt of papers/31.txt 0." in out
    status, _, _ = call("erase", "papers", "--value", "--reason", "요청", "--dry-run", said=SENTENCE)
    assert status == 0 and files(workspace.root) == before


def test_a_digest_is_taken_in_upper_case_too(workspace: Workspace, call: Call) -> None:
    digest = data(next(workspace.releases("papers").glob("1.0.0")))["text_sha256"][0].as_py()
    status, out, _ = call("erase", "papers", "--text-sha256", digest.upper(), "--reason", "요청", "--dry-run")
    assert status == 0 and "papers: 1 document of the latest version" in out


def test_an_erasure_says_what_it_released_and_withdrew(call: Call) -> None:
    status, out, _ = call("erase", "papers", "--id", "papers/13.txt", "--id", "papers/02.txt", "--reason", "요청")
    assert status == 0 and "tombstones: 2 new" in out and "papers 1.0.1: released and verified" in out
    assert "papers 1.0.0: " in out and "files withdrawn, listed in its withdrawn.json" in out


def test_no_part_of_a_value_is_anywhere_but_where_it_was_published(workspace: Workspace, call: Call) -> None:
    words = "".join(SENTENCE.split())[:14]
    before = set(files(workspace.root))
    status, out, error = call("erase", "papers", "--value", "--reason", "요청", said=f"{words}\n\n")
    assert status == 0 and words not in out + error and "papers/13.txt" in out
    new = {name: content for name, content in files(workspace.root).items() if name not in before}
    assert not [name for name, content in new.items() if words.encode() in content and not name.startswith("2-")]
    assert workspace.erasure_key.stat().st_mode & 0o777 == 0o600
    (stored,) = [one.key for one in tombstones.read(workspace.withdrawals) if one.kind == "value"]
    assert words not in stored


def test_tombstones_leave_one_workspace_and_enter_another(workspace: Workspace, call: Call, tmp_path: Path) -> None:
    call("erase", "papers", "--value", "--reason", "요청", "--request", "2026-7", said=SENTENCE)
    status, out, _ = call("withdrawals")
    assert status == 0 and "id papers/13.txt: 요청, request 2026-7" in out and "2 tombstones, 2 in effect" in out
    assert call("withdrawals", "list")[1] == out
    status, _, _ = call("withdrawals", "export", tmp_path / "all.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    assert status == 0 and {row["kind"] for row in rows} == {"id", "value"}
    assert call("withdrawals", "export", "-")[1] == (tmp_path / "all.jsonl").read_text("utf-8")
    known = tombstones.read(workspace.withdrawals)
    workspace.withdrawals.unlink()
    assert "2 tombstones added, 0 known before" in call("withdrawals", "import", tmp_path / "all.jsonl")[1]
    assert tombstones.read(workspace.withdrawals) == known
    assert "0 tombstones added, 2 known before" in call("withdrawals", "import", tmp_path / "all.jsonl")[1]
    workspace.withdrawals.unlink()
    workspace.erasure_key.write_bytes(bytes(32))
    status, _, error = call("withdrawals", "import", tmp_path / "all.jsonl")
    assert status == 2 and "of another erasure.key" in error and not workspace.withdrawals.exists()


def test_addresses_are_stored_in_canonical_form(workspace: Workspace, call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"kind": "url", "key": "HTTP://A.kr:80/x/../7#top", "reason": "r"}\n', "utf-8")
    assert call("withdrawals", "import", tmp_path / "a.jsonl")[0] == 0
    (one,) = tombstones.read(workspace.withdrawals)
    assert one.key == "http://a.kr/7"
    status, out, _ = call("withdrawals", "revoke", "http://a.kr/7")
    assert status == 0 and "url http://a.kr/7: revoked" in out
    assert "1 tombstone, 0 in effect" in call("withdrawals")[1]


BECAUSE = ("--reason", "r")
WRONG = {
    "no selector": (("erase", "papers", *BECAUSE), "", "nothing to erase: name it with --id"),
    "no value": (("erase", "papers", "--value", *BECAUSE), "\n", "nothing to erase"),
    "a short value": (("erase", "papers", "--value", *BECAUSE), "홍길동", "a value of 3 letters and digits"),
    "an empty reason": (
        ("erase", "papers", "--id", "papers/13.txt", "--reason", " "),
        "",
        "needs a document and a reason",
    ),
    "no such release": (
        ("erase", "x", "--id", "papers/13.txt", "--reason", "r"),
        "",
        "has no release 'x'; it has: papers",
    ),
    "no such tombstone": (("withdrawals", "revoke", "x"), "", "no tombstone in effect has the key 'x'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_says_what_and_what_next(workspace: Workspace, call: Call, case: str) -> None:
    arguments, said, says = WRONG[case]
    status, _, error = call(*arguments, said=said)
    assert (status, says in error) == (2, True), error
    assert not workspace.withdrawals.exists()


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{",
        b'{"kind": "id"}',
        b"\xff",
        b'{"kind": "id", "key": "a", "reason": "r", "x": 1}',
        b'{"kind": "id", "key": "", "reason": "r"}',
        b'{"kind": "planet", "key": "a", "reason": "r"}',
        b'{"kind": "url", "key": "nowhere", "reason": "r"}',
        b'{"kind": "url-prefix", "key": "a.kr/7", "reason": "r"}',
        b'{"kind": "id", "key": "a", "reason": "r", "date": "yesterday"}',
    ],
)
def test_a_line_that_is_not_a_tombstone_is_named(workspace: Workspace, call: Call, tmp_path: Path, line: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"kind": "id", "key": "a/1", "reason": "r"}\n' + line + b"\n")
    status, _, error = call("withdrawals", "import", tmp_path / "a.jsonl")
    assert status == 2 and "a.jsonl, line 2: not a tombstone" in error and not workspace.withdrawals.exists()


def test_no_workspace_is_made_by_asking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given in (("erase", "x", "--id", "a/1", "--reason", "r"), ("withdrawals",), ("withdrawals", "revoke", "x")):
        call = [*given, "--workspace", str(tmp_path / "w")]
        assert main.run_guarded(lambda c=call: main.app(c, exit_on_error=False, print_error=False)) == 2  # type: ignore[misc]
        assert "is not a workspace" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


class Killed(BaseException):
    """Stands for a kill between two steps."""


@contextmanager
def dying(after: int) -> Iterator[list[int]]:
    """End the block at the step `after` of those that change the disk; yield the steps that were made."""
    steps: list[int] = []

    def guard(change: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            steps.append(len(steps))
            if len(steps) > after:
                raise Killed
            return change(*given, **named)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in ("replace", "rename", "unlink", "touch"):
            patch.setattr(Path, name, guard(getattr(Path, name)))
        with suppress(Killed):
            yield steps


ASKED = ("erase", "papers/1.0.0", "--id", "papers/13.txt", "--reason", "요청")
CONTINUED = "the erasure from papers that was stopped is complete"


@pytest.fixture(scope="module")
def erased(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    """The files after an erasure that nothing stopped, and the number of its steps."""
    root = tmp_path_factory.mktemp("erased") / "w"
    shutil.copytree(made, root)
    with dying(1 << 20) as steps:
        main.app([*ASKED, "--workspace", str(root)], exit_on_error=False, result_action="return_value")
    return files(root), len(steps)


def shares(*soaked: float) -> list[Any]:
    return [0.1, 0.4, 0.7, *(pytest.param(one, marks=pytest.mark.soak) for one in soaked)]


@pytest.mark.heavy
@pytest.mark.parametrize("share", shares(*(n / 30 for n in range(1, 30)), 0.999))
def test_a_killed_erasure_is_completed_by_the_same_call(
    workspace: Workspace, call: Call, erased: tuple[dict[str, bytes], int], share: float
) -> None:
    whole, steps = erased
    with dying(int(share * steps)):
        call(*ASKED)
    killed = workspace.erasure_plan.exists()
    status, _, error = call(*ASKED)
    assert status == 0 and (CONTINUED in error) == killed, error
    assert files(workspace.root) == whole and "erasure-plan.json" not in whole


@pytest.mark.heavy
def test_what_is_only_read_names_an_unfinished_erasure_and_what_writes_continues_it(
    workspace: Workspace,
    call: Call,
    erased: tuple[dict[str, bytes], int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with dying(int(0.5 * erased[1])):
        call(*ASKED)
    shutil.copytree(workspace.root, tmp_path / "killed")
    before, release = files(workspace.root), workspace.releases("papers/1.0.0")
    for name, reads in {
        "status": ("status",),
        "withdrawals": ("withdrawals",),
        "dry": (*ASKED, "--dry-run"),
    }.items():
        erasure_plan._say_once.cache_clear()
        error = call(*reads)[2]
        assert "an erasure from papers 1.0.0 has not come to its end" in error, name
        assert f"`malmoi erase papers --workspace {workspace.root}` continues it" in error, name
        assert "papers/13.txt" not in error and files(workspace.root) == before, name
    erasure_plan._say_once.cache_clear()
    given = ["verify", str(release)]
    main.run_guarded(lambda: main.app(given, exit_on_error=False, print_error=False, result_action="return_value"))
    assert "an erasure from papers 1.0.0 has not come to its end" in capsys.readouterr().err
    writing = {
        "name alone": ("erase", "papers"),
        "import": ("withdrawals", "import", tmp_path / "none.jsonl"),
        "publish": ("publish", "papers/1.0.1", tmp_path / "target"),
    }
    (tmp_path / "none.jsonl").write_text("", encoding="utf-8")
    for name, writes in writing.items():
        shutil.rmtree(workspace.root)
        shutil.copytree(tmp_path / "killed", workspace.root)
        status, _, error = call(*writes)
        assert status == 0 and CONTINUED in error, name
        assert files(workspace.root) == erased[0], name


def test_a_refused_erasure_leaves_no_plan(workspace: Workspace, call: Call) -> None:
    tombstones.add(workspace.withdrawals, [tombstones.Tombstone("id", "papers/13.txt", "2026-01-01", "other")])
    assert call(*ASKED)[0] == 2 and not workspace.erasure_plan.exists()


def test_an_unreadable_plan_stops_every_command_that_writes(workspace: Workspace, call: Call) -> None:
    workspace.erasure_plan.write_text("{", encoding="utf-8")
    status, _, error = call("withdrawals", "revoke", "x")
    assert status == 2 and "erasure-plan.json: not readable as the plan of an erasure" in error
