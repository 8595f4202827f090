"""The changelog of a release: rendered from facts, carried along, and checked against the release itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_cards import render_card
from flows.limited_process import compare_folders
from malmoi.canonical_json import canonical_json
from malmoi.releases import changelog
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from tests.builders.small_papers import PAPERS, run, written
from tests.builders.withdrawn import withdraw

CALM = {name: PAPERS[name] for name in ("02", "03", "13", "31", "32")}


def facts(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "changes.json").read_text(encoding="utf-8"))


def three(root: Path) -> list[Path]:
    """Three versions: the second lacks a withdrawn document, the third has a paper more."""
    source, recipe = written(root, CALM)
    home, *_, first = run(source, recipe, root / "w")
    withdraw(home, ["papers/13.txt"])
    *_, second = run(source, recipe, root / "w")
    (root / "papers" / "40.txt").write_text(PAPERS["32"][::-1] + "\n", encoding="utf-8")
    (root / "papers" / "14.txt").write_text(PAPERS["13"].replace("다.", "까.") + "\n", encoding="utf-8")
    *_, third = run(source, recipe, root / "w")
    return [first.folder, second.folder, third.folder]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return three(tmp_path_factory.mktemp("versions"))


def test_the_first_version_has_no_changelog(versions: list[Path]) -> None:
    assert not (versions[0] / "CHANGELOG.md").exists() and not (versions[0] / "changes.json").exists()
    assert "previous" not in json.loads((versions[0] / "card.json").read_text(encoding="utf-8"))


def test_each_version_carries_the_entries_before_it_and_verifies(versions: list[Path]) -> None:
    one, two = facts(versions[1])["entries"], facts(versions[2])["entries"]
    assert two[:2] == one and [entry["version"] for entry in two] == ["1.0.0", "1.1.0", "1.2.0"]
    assert (one[1]["before"], one[1]["added"], one[1]["removed"]) == ("1.0.0", 0, 1)
    assert one[1]["reasons"] == [["withheld", "", "", 1]]
    assert one[1]["masked"] == [["papers", "withdrawals", "withdrawn", 1]]
    for folder in versions:
        assert verify(folder, render=render_card) == []


def test_it_says_what_changed_but_no_id(versions: list[Path]) -> None:
    text = (versions[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.index("## 1.2.0") < text.index("## 1.1.0") < text.index("## 1.0.0")
    assert "Since 1.0.0: 0 added, 1 removed, 0 changed." in text and "1 withheld, or no longer found" in text
    assert ".txt" not in text + (versions[2] / "changes.json").read_text(encoding="utf-8")


def test_the_card_has_one_line_about_the_version_before(versions: list[Path]) -> None:
    card = json.loads((versions[1] / "card.json").read_text(encoding="utf-8"))
    assert card["previous"] == {"version": "1.0.0", "compared": True, "added": 0, "removed": 1, "changed": 0}
    (line,) = [one for one in (versions[1] / "README.md").read_text("utf-8").splitlines() if "CHANGELOG.md" in one]
    assert "1.0.0 (+0, −1, ±0)" in line


def test_the_same_versions_give_the_same_bytes(versions: list[Path], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(versions[2], tmp_path / "copy"))
    for name in ("changes.json", "CHANGELOG.md"):
        (copy / name).unlink()
    changelog.write(copy, versions[1])
    for name in ("changes.json", "CHANGELOG.md"):
        assert (copy / name).read_bytes() == (versions[2] / name).read_bytes()


def change(edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        value = facts(folder)
        edit(value)
        (folder / "changes.json").write_text(canonical_json(value), encoding="utf-8")
        entries = changelog.read(folder)
        (folder / "CHANGELOG.md").write_text(changelog.render(value["name"], entries), encoding="utf-8")

    return apply


def edit_text(folder: Path) -> None:
    path = folder / "CHANGELOG.md"
    path.write_text(path.read_text(encoding="utf-8").replace("1 removed", "0 removed"), encoding="utf-8")


@pytest.mark.one_case_in(10)
@pytest.mark.parametrize(
    ("tamper", "path", "says"),
    [
        (edit_text, "CHANGELOG.md", "not the rendering"),
        (lambda folder: (folder / "CHANGELOG.md").unlink(), "CHANGELOG.md", "not the rendering"),
        (lambda folder: (folder / "changes.json").unlink(), "changes.json", "missing"),
        (lambda folder: (folder / "changes.json").write_text("{"), "changes.json", "not readable as a changelog"),
        (change(lambda v: v.update(name="other")), "changes.json", "of another release"),
        (change(lambda v: v.update(entries=[])), "changes.json", "no entry"),
        (change(lambda v: v["entries"].pop(0)), "changes.json", "the version before is not 1.0.0"),
        (change(lambda v: v["entries"].pop()), "changes.json", "not that of the manifest"),
        (change(lambda v: v["entries"][-1].update(documents=9)), "changes.json", "it says 9 documents"),
        (change(lambda v: v["entries"][-1].update(characters=9)), "changes.json", "code points differ"),
        (change(lambda v: v["entries"][-1].update(added=3)), "changes.json", "does not hold"),
        (change(lambda v: v["entries"][-1].update(reasons=[])), "changes.json", "do not add up"),
        (change(lambda v: v["entries"][-1]["masked"][0].__setitem__(3, 9)), "changes.json", "its masked drops"),
        (change(lambda v: v["entries"][-1].update(files=[1, 2])), "changes.json", "it says 2 files"),
        (change(lambda v: v["entries"][-1].update(sources=[["papers", 4, 9]])), "changes.json", "it says 9 documents"),
        (change(lambda v: v["entries"][-1].update(filters=[["rights", 1, 99]])), "changes.json", "its filters"),
        (change(lambda v: v["entries"][-1].update(changed={"text": 7})), "card.json", "the version before"),
    ],
)
def test_a_changelog_that_was_tampered_with_is_found_though_the_sums_are_made_anew(
    versions: list[Path], tmp_path: Path, tamper: Callable[[Path], None], path: str, says: str
) -> None:
    copy = Path(shutil.copytree(versions[1], tmp_path / "copy"))
    tamper(copy)
    seal(copy)
    found = verify(copy, render=render_card)
    assert [one for one in found if one.check == "changelog" and one.path == path and says in one.says], found


def test_a_version_before_that_lost_files_is_named_but_not_compared(versions: list[Path], tmp_path: Path) -> None:
    before, after = (Path(shutil.copytree(one, tmp_path / one.name)) for one in versions[:2])
    for path in before.glob("data/*/*/*/*.parquet"):
        path.unlink()
    changelog.write(after, before)
    first, second = facts(after)["entries"]
    assert (first["documents"], second["before"], second["compared"]) == (4, "1.0.0", False)
    assert "Not compared with 1.0.0" in (after / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_comparison_of_both_versions_says_whether_the_changelog_agrees(versions: list[Path], tmp_path: Path) -> None:
    assert compare_folders(versions[0], versions[1])["changelog"] == "agrees"
    assert compare_folders(versions[0], versions[2])["changelog"] == "none"
    copy = Path(shutil.copytree(versions[1], tmp_path / "copy"))
    change(lambda v: v["entries"][-1].update(changed={"text": 1}))(copy)
    assert compare_folders(versions[0], copy)["changelog"] == "differs"
