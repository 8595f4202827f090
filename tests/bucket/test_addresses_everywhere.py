"""Every command takes s3://BUCKET/PREFIX, or refuses it: none makes a folder that is called like an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cyclopts import App

from flows.cli.main import app
from malmoi.storage.bucket import Bucket
from malmoi.storage.location import locate
from tests.bucket.papers_run import publish
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_papers import PAPERS, written

Machine = Callable[[str], None]

# Arguments of a command; WS is the address of a workspace, NEW of one that does not exist, RELEASE of a release, OUT an
# address at which nothing may be written. The number is the exit status.
CALLS: tuple[tuple[int, str], ...] = (
    (0, "review sample RELEASE --seed a --size 1 --out evidence --workspace WS"),
    (2, "review sample RELEASE --seed a --size 1 --out OUT --workspace WS"),
    (0, "inspect RELEASE --seed a --size 1 --reader a --list --out inspection --workspace WS"),
    (2, "inspect RELEASE --seed a --size 1 --reader a --list --out OUT --workspace WS"),
    (0, "review --list --workspace WS"),
    (0, "review decisions --workspace WS"),
    (0, "review finds --workspace WS"),
    (2, "review clear papers/31.txt --reviewer a --reason b --workspace WS"),
    (0, "review export decisions.jsonl --workspace WS"),
    (2, "review export OUT --workspace WS"),
    (0, "review import decisions.jsonl --workspace WS"),
    (2, "review revoke item-bcdfghjk --reviewer a --reason b --workspace WS"),
    (2, "ablate plan.toml OUT"),
    (2, "ablate plan.toml results --workspace WS"),
    (0, "check RELEASE --recipe RECIPE"),
    (0, "collect SOURCE --workspace WS"),
    (0, "collect SOURCE --workspace NEW --dry-run"),
    (0, "contains RELEASE --url https://a.kr/1"),
    (0, "curate RECIPE --source SOURCE --workspace WS"),
    (0, "cache"),
    (0, "cache trim WS"),
    (0, "cache trim NEW"),
    (2, "cache trim here"),
    (2, "demo --workspace gs://bucket/ws"),
    (0, "diff RELEASE RELEASE"),
    (2, "diff RELEASE RELEASE --html OUT"),
    (0, "erase papers --workspace WS --id papers/01.txt --reason asked --dry-run"),
    (0, "erase papers --workspace WS --id papers/01.txt --reason asked --request r-1"),
    (0, "export RELEASE texts --format jsonl"),
    (2, "export RELEASE OUT --format jsonl"),
    (0, "index --workspace WS"),
    (0, "index query PAPER --workspace WS"),
    (0, "publish RELEASE copy"),
    (0, "publish RELEASE OUT"),
    (0, "publish papers/1.0.0 copy2 --workspace WS"),
    (0, "recipe show RECIPE"),
    (0, "recipe diff RECIPE RELEASE"),
    (0, "release RECIPE --source SOURCE --workspace WS"),
    (2, "rights recheck RELEASE --yes --workspace WS"),
    (0, "run RECIPE --source SOURCE --workspace WS"),
    (0, "run RECIPE --source SOURCE --workspace NEW --dry-run"),
    (2, "run RECIPE --source SOURCE --workspace s3://Not_A_Bucket/ws"),
    (2, "run RECIPE --source SOURCE --workspace s3://bucket"),
    (2, "sign RELEASE --key OUT"),
    (0, "sources --workspace WS"),
    (0, "sources terms SOURCE --reviewer a --page https://a.kr/terms --verdict allowed --workspace WS"),
    (2, "sources new OUT"),
    (0, "sources probe SOURCE --workspace WS"),
    (0, "sources repair SOURCE --workspace WS"),
    (0, "sources forecast SOURCE --sample 5 --recipe RECIPE --workspace WS"),
    (0, "status RECIPE --source SOURCE --workspace WS"),
    (0, "tokens RELEASE"),
    (2, "try judge OUT"),
    (0, "verify RELEASE"),
    (2, "verify OUT"),
    (0, "why WS papers/11.txt"),
    (0, "why RELEASE papers/31.txt"),
    (0, "withdrawals --workspace WS"),
    (0, "withdrawals export tombstones.jsonl --workspace WS"),
    (2, "withdrawals export OUT --workspace WS"),
    (0, "withdrawals import tombstones.jsonl --workspace WS"),
    (0, "withdrawals revoke papers/01.txt --workspace WS"),
)


def list_commands(parent: App = app, before: str = "") -> Iterator[str]:
    for name in parent:
        if name.startswith("-"):
            continue
        child = parent[name]
        if nested := list(list_commands(child, f"{before}{name} ")):
            yield from nested
        else:
            yield f"{before}{name}"


def test_every_command_has_a_case() -> None:
    calls = [call for _, call in CALLS]
    alone = {"sources denied", "withdrawals list"}  # without a path; the same as its parent
    missing = [name for name in list_commands() if name not in alone and not any(one.startswith(name) for one in calls)]
    assert not missing, f"add a call with an address for {missing}"


@pytest.mark.heavy
def test_no_command_makes_a_path_of_an_address(
    place: str, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, local = tmp_path / "here", tmp_path / "papers"
    here.mkdir()
    source, recipe = written(local, PAPERS)
    publish(source, recipe, place)
    words = {
        "WS": place, "NEW": f"{place}-new", "OUT": f"{place}-out/a", "SOURCE": source, "RECIPE": recipe,
        "RELEASE": f"{place}/6-releases/papers/1.0.0", "PAPER": str(local / "papers" / "31.txt"),
    }  # fmt: skip
    monkeypatch.chdir(here)
    machine("two")  # whose copy has nothing yet
    wrong = []
    for status, call in CALLS:
        done = malmoi_in_process(*(words.get(word, word) for word in call.split()))
        if done.returncode != status or "internal error" in done.stderr:
            wrong.append(f"{call}: {done.returncode} {done.stderr.strip() or done.stdout.strip()[-200:]}")
        made = [path.name for path in here.iterdir() if ":" in path.name]
        assert not made, f"{call} made {made}"
    assert not wrong, "\n".join(wrong)
    assert not locate(f"{place}-new").exists() or not list(Bucket(f"{place}-new").list_objects())
