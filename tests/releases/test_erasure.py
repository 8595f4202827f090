"""What is erased leaves a patch release with few new bytes, and the earlier versions; and it does not come back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_cards import render_texts
from flows import erase as erasing
from flows import release as releases
from flows.erase import Erased, erase
from flows.limited_process import compare_folders
from malmoi.archive import collection
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.errors import CallError, DataError
from malmoi.releases import manifest as manifests
from malmoi.releases import patch_release
from malmoi.releases import version_history as latest_version
from malmoi.releases.membership import read_sketches
from malmoi.releases.residue import DETECTOR
from malmoi.releases.verification import sha256sums
from malmoi.releases.verification.verify import verify
from malmoi.releases.version_history import point_latest
from malmoi.workspace import Workspace
from tests.builders.small_papers import PAPERS, audit, data, numbers, run, written
from tests.releases.test_left_out import everything

CHECKER = Path(__file__).parents[2] / "docs" / "check_release.py"
CALM = {name: PAPERS[name] for name in ("02", "03", "13", "31", "32")}  # 31 stands for 32, all others for themselves
KEY = bytes(32)
ID = "papers/13.txt"
GONE = 4 + 3  # its shard with its morphemes and two audit tables; the card and its two pages show it as a sample


def stone(kind: str, key: str, **other: str) -> Tombstone:
    return Tombstone(kind, key, "2026-11-24", "요청", **other)  # type: ignore[arg-type]


def checked(folder: Path) -> list:
    return verify(folder, render=render_texts)


def audited(folder: Path) -> tuple[int, str]:
    """Exit status and faults of the checker for auditors, who do not have Malmoi."""
    call = [sys.executable, CHECKER, folder, "--faults"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


@dataclass
class World:
    """A workspace with one release of papers."""

    home: Workspace
    source: str
    recipe: str
    first: Path

    def erase(self, *stones: Tombstone, key: bytes = b"", **how: bool) -> Erased:
        return erase(self.home, "papers", stones, key, **how)

    def version(self, version: str) -> Path:
        return self.home.releases("papers") / version

    def run(self):
        return run(self.source, self.recipe, self.home.root)[3]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("made")
    source, recipe = written(root, CALM)
    gather = releases._gather_inputs
    with pytest.MonkeyPatch.context() as patch:  # several shards, although the papers are short
        patch.setattr(releases, "_gather_inputs", lambda *given: replace(gather(*given), shard_bytes=1))
        home, _, _, first = run(source, recipe, root / "w")
    return World(home, source, recipe, first.folder)


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    shutil.copytree(made.home.root, tmp_path / "w")
    home = Workspace.open(tmp_path / "w")
    return World(home, made.source, made.recipe, home.releases("papers") / made.first.name)


def test_a_patch_holds_all_but_the_erased_document_and_verifies(world: World) -> None:
    done = world.erase(stone("id", ID))
    new = world.version("1.0.1")
    assert (done.version, done.documents, done.withdrawn) == ("1.0.1", (ID,), (("1.0.0", GONE),))
    assert checked(new) == [] and numbers(data(new)["id"].to_pylist()) == {"02", "03", "31"}
    assert ID not in everything(new) and "13.txt" not in everything(new)
    out = [row for row in audit(new, "dropped") if row["reason"] == "withdrawn"]
    assert [(row["id"], row["stage"], row["filter"]) for row in out] == [
        ("papers/[withheld 1]", "6-release", "withdrawals")
    ]
    card = json.loads((new / "card.json").read_text("utf-8"))
    assert (card["numbers"]["withdrawn"]["value"], card["numbers"]["documents"]["value"]) == (1, 3)
    assert card["tables"]["funnel"]["rows"][-1] == ["6-release", 4, 3, 1, 0]


def test_a_patch_keeps_the_sketches_of_the_other_documents(world: World) -> None:
    before = dict(zip(data(world.first)["id"].to_pylist(), read_sketches(world.first).tolist(), strict=True))
    new = world.version(world.erase(stone("id", ID)).version)
    assert read_sketches(new).tolist() == [before[id] for id in data(new)["id"].to_pylist()]


def test_files_that_name_no_erased_document_are_the_same_files(world: World) -> None:
    before = {file.path: file.sha256 for file in manifests.read(world.first).files}
    inodes = {path: (world.first / path).stat().st_ino for path in before}
    done = world.erase(stone("id", ID))
    new = world.version(done.version)
    after = {file.path: file.sha256 for file in manifests.read(new).files}
    changed = {path for path in before if before[path] != after.get(path)}
    assert changed == set(done.files) and sum(path.startswith("data/") for path in changed) == 1
    for path in before.keys() - changed:
        assert (new / path).stat().st_ino == inodes[path], path
    assert changed == {
        *(path for path in changed if path.startswith(("data/", "morphemes/"))),
        *(f"audit/{name}.parquet" for name in ("attribution", "dropped", "licence_evidence", "residue", "stages")),
        *(f"audit/{name}.parquet" for name in ("members", "sketches")),
    }


def test_it_does_not_come_back_whatever_is_run_again(world: World) -> None:
    world.erase(stone("id", ID))
    made = world.run()
    assert checked(made.folder) == [] and numbers(data(made.folder)["id"].to_pylist()) == {"02", "03", "31"}
    assert not world.run().new


def test_the_next_run_makes_no_version_of_the_same_documents(world: World) -> None:
    done = world.erase(stone("id", ID))
    made = world.run()
    assert (made.new, made.version, made.documents) == (False, done.version, 3)
    assert made.root == manifests.read(world.version(done.version)).root
    assert sorted(path.name for path in world.home.releases("papers").glob("[0-9]*")) == ["1.0.0", done.version]


@pytest.mark.heavy
def test_the_next_run_makes_a_version_of_other_documents_and_facts(world: World, tmp_path: Path) -> None:
    world.erase(stone("id", ID))
    recipe = tmp_path / "other.toml"
    recipe.write_text(Path(world.recipe).read_text("utf-8").replace("Papers.", "Other papers."), encoding="utf-8")
    made = run(world.source, str(recipe), world.home.root)[3]
    assert (made.new, made.version) == (True, "1.1.0") and checked(made.folder) == []
    with pytest.raises(CallError, match=r"papers 1\.0\.1 is not the latest version, 1\.1\.0"):
        erasing.find_release(world.home, "papers/1.0.1")
    world.erase(stone("id", "papers/02.txt"))
    tombstones.revoke(world.home.withdrawals, "papers/02.txt", "2026-11-25")
    made = run(world.source, str(recipe), world.home.root)[3]
    assert made.new and numbers(data(made.folder)["id"].to_pylist()) >= {"02", "03", "31"}


KINDS = {
    "an address": ("url", "folder:papers/13.txt"),
    "a prefix": ("url-prefix", "folder:papers/13.txt"),
    "a text": ("text-sha256", ""),
    "a value": ("value", digest_value(PAPERS["13"].splitlines()[3][:20], KEY)),
}


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("case", KINDS)
def test_every_way_to_name_a_document_finds_it_and_keeps_it_out(world: World, case: str) -> None:
    kind, key = KINDS[case]
    rows = {row["id"]: row for row in data(world.first).select(["id", "url", "text_sha256"]).to_pylist()}
    key = rows[ID]["text_sha256"] if kind == "text-sha256" else rows[ID]["url"] if kind.startswith("url") else key
    if kind == "value":
        world.home.erasure_key.write_bytes(KEY)
    done = world.erase(stone(kind, key), key=KEY)
    assert ID in done.documents and checked(world.version(done.version)) == []
    assert ID in tombstones.read_ids(world.home.withdrawals)
    made = world.run()
    assert not set(data(made.folder)["id"].to_pylist()) & set(done.documents)


def test_a_tombstone_of_an_address_keeps_out_what_was_never_released(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, CALM)
    home = Workspace.open(tmp_path / "w")
    words = digest_value(PAPERS["13"].splitlines()[3][:20], KEY)
    tombstones.add(home.withdrawals, [stone("url", "folder:papers/02.txt"), stone("value", words)])
    home.erasure_key.write_bytes(KEY)
    *_, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"03"} and checked(made.folder) == []


def test_only_the_shards_that_a_tombstone_touches_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "MAX_ROWS", 1)
    source, recipe = written(tmp_path, CALM)
    home, _, _, made = run(source, recipe, tmp_path / "w")
    before = {folder.name for folder in home.shards("3-clean")}
    url = next(row["url"] for row in data(made.folder).to_pylist() if row["id"] == ID)
    tombstones.add(home.withdrawals, [stone("url", url), stone("url-prefix", "https://elsewhere.kr/")])
    run(source, recipe, tmp_path / "w")
    after = {folder.name for folder in home.shards("3-clean")}
    assert before < after and len(after - before) == 1


@pytest.mark.heavy
def test_copies_are_named_and_go_along_on_request(world: World) -> None:
    done = world.erase(stone("id", "papers/31.txt"), dry=True)
    ((copy, of),) = {(one.id, one.of) for one in done.copies}
    assert (copy, of) == ("papers/32.txt", "papers/31.txt")
    assert not world.home.withdrawals.exists() and not world.version("1.0.1").exists()
    done = world.erase(stone("id", "papers/31.txt"), copies=True)
    new = world.version(done.version)
    assert checked(new) == [] and "papers/32.txt" not in everything(new) and "papers/31.txt" not in everything(new)
    made = world.run()
    assert numbers(data(made.folder)["id"].to_pylist()) == {"02", "03", "13"} and made.notes == ()


@pytest.mark.heavy
def test_dropped_copies_of_an_erased_document_are_masked_in_the_audit(world: World) -> None:
    done = world.erase(stone("id", "papers/31.txt"))
    new = world.version(done.version)
    assert checked(new) == [] and "papers/32.txt" not in everything(new)
    names = {row["keeper"] for row in audit(new, "clusters")} | {row["member"] for row in audit(new, "clusters")}
    assert names == {"papers/[withheld 1]", "papers/[withheld 2]"}


@pytest.mark.heavy
def test_a_document_that_was_dropped_can_be_erased_too(world: World) -> None:
    done = world.erase(stone("id", "papers/32.txt"))
    new = world.version(done.version)
    assert done.documents == () and done.others == ("papers/32.txt",)
    assert checked(new) == [] and data(new).num_rows == 4 and "papers/32.txt" not in everything(new)


@pytest.mark.heavy
def test_two_erasures_one_after_the_other_number_their_masks_anew(world: World) -> None:
    world.erase(stone("id", ID))
    done = world.erase(stone("id", "papers/02.txt"))
    new = world.version("1.0.2")
    assert (done.version, done.withdrawn[0][0]) == ("1.0.2", "1.0.0") and checked(new) == []
    masked = [row["id"] for row in audit(new, "dropped") if row["reason"] == "withdrawn"]
    assert sorted(masked) == ["papers/[withheld 1]", "papers/[withheld 2]"]
    assert checked(world.first) == [] and checked(world.version("1.0.1")) == []
    assert {one.version for one in sha256sums.read_withdrawn(world.first)} == {"1.0.1", "1.0.2"}


def test_the_last_document_leaves_no_version(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, {"31": PAPERS["31"]})
    home, _, _, first = run(source, recipe, tmp_path / "w")
    done = erase(home, "papers", [stone("id", "papers/31.txt")], b"")
    assert done.version == "" and not list(first.folder.glob("data/*/*/*/*.parquet"))
    assert sha256sums.describe_withdrawn(first.folder).endswith("no version replaces it")
    assert audited(first.folder)[0] == 0


@pytest.mark.heavy
def test_a_licence_without_documents_leaves_no_folder_and_no_licence_file(world: World) -> None:
    ids = data(world.first)["id"].to_pylist()
    by_file = {
        path: set(pq.read_table(path, columns=["id"], partitioning=None)["id"].to_pylist())
        for path in world.first.glob("data/*/*/*/*")
    }
    path, gone = min(by_file.items(), key=lambda pair: (len(pair[1]), str(pair[0])))
    done = world.erase(*(stone("id", id) for id in sorted(gone)))
    new = world.version(done.version)
    assert len(gone) < len(ids) and not (new / path.relative_to(world.first)).exists() and checked(new) == []


# Earlier versions -----------------------------------------------------------------------------------------------


def test_an_earlier_version_is_withdrawn_in_part_and_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    from flows.cli.main import verify as command

    world.erase(stone("id", ID))
    assert "13.txt" not in everything(world.first) and PAPERS["13"][:40] not in everything(world.first)
    assert checked(world.first) == []
    command(world.first)
    total = len((world.first / "SHA256SUMS").read_text("utf-8").splitlines())
    assert f"withdrawn in part: {GONE} of {total} files, see 1.0.1" in capsys.readouterr().out.replace("\n", " ")
    status, said = audited(world.first)
    assert status == 0 and said.endswith(f" checks, 0 faults; withdrawn in part: {GONE} files (withdrawn.json)\n")


def test_such_a_version_is_not_compared_as_if_its_other_documents_were_new(world: World) -> None:
    world.erase(stone("id", ID))
    with pytest.raises(DataError, match=r"withdrawn in part: .* cannot be compared"):
        compare_folders(world.first, world.version("1.0.1"))


def test_another_missing_file_of_such_a_version_is_a_finding(world: World) -> None:
    world.erase(stone("id", ID))
    (world.first / "audit" / "sources.parquet").unlink()
    assert {(one.check, one.path) for one in checked(world.first)} >= {("sums", "audit/sources.parquet")}
    status, said = audited(world.first)
    assert status == 1 and "FAULT sum: audit/sources.parquet: is missing (SHA256SUMS)" in said


def test_a_changed_file_of_such_a_version_is_a_finding(world: World) -> None:
    world.erase(stone("id", ID))
    path = world.first / "audit" / "sources.parquet"
    content = path.read_bytes()
    path.unlink()  # the patch has a hard link to it
    path.write_bytes(content + b"x")
    assert ("sums", "audit/sources.parquet") in {(one.check, one.path) for one in checked(world.first)}
    assert "FAULT sum: audit/sources.parquet: has another sha256 (SHA256SUMS)" in audited(world.first)[1]
    assert checked(world.version("1.0.1")) == []


def listed(path: object, sha256: str) -> list[dict]:
    return [{"path": path, "sha256": sha256, "rows": 1, "version": "1.0.1", "date": ""}]


LISTS = {
    "a file with another digest": listed("audit/sources.parquet", "0" * 64),
    "the manifest": listed("manifest.json", ""),
    "not a list": {"path": "x"},
    "a path that is no text": listed([], ""),
}


@pytest.mark.heavy
@pytest.mark.parametrize("case", LISTS)
def test_a_list_of_withdrawn_files_hides_no_other_loss(world: World, case: str) -> None:
    (world.first / "withdrawn.json").write_text(json.dumps({"files": LISTS[case]}), encoding="utf-8")
    (world.first / "audit" / "sources.parquet").unlink()
    assert checked(world.first) != []
    assert audited(world.first)[0] == 1


@pytest.mark.heavy
def test_a_run_that_was_stopped_before_it_deleted_continues(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(patch_release, "replace_file", stop)
        world.erase(stone("id", ID))
    assert {one.says.partition(",")[0] for one in checked(world.first)} == {"withdrawn"}
    again = world.erase(stone("id", ID))
    assert again.version in ("", "1.0.1") and checked(world.version("1.0.1")) == [] and checked(world.first) == []
    assert "13.txt" not in everything(world.first)


# The proof ------------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_run_that_was_stopped_while_it_deleted_continues(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink, gone = Path.unlink, []

    def stop(path: Path, **how: bool) -> None:
        if path.name == "index.html":
            raise KeyboardInterrupt
        gone.append(path.name)
        unlink(path, **how)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "unlink", stop)
        world.erase(stone("id", ID))
    assert any(name.endswith(".parquet") for name in gone)  # the tables that say what the page shows of the document
    assert (world.first / "index.html").exists()
    world.erase(stone("id", ID))
    assert not (world.first / "index.html").exists() and checked(world.first) == []


def test_a_run_that_was_stopped_before_latest_moved_continues(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(versions: Path) -> None:
        raise KeyboardInterrupt

    point_latest(world.home.releases("papers"))  # copied worlds have no links
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(latest_version, "point_latest", stop)
        world.erase(stone("id", ID))
    latest = world.home.releases("papers") / "latest"
    assert (latest.readlink(), world.version("1.0.1").exists()) == (Path("1.0.0"), True)
    world.erase(stone("id", ID))
    assert latest.readlink() == Path("1.0.1")
    assert "1.0.1" in world.home.release_history.read_text()


def test_the_proof_names_files_and_no_document(world: World) -> None:
    before = {file.path: file for file in manifests.read(world.first).files}
    done = world.erase(stone("id", ID, request="홍길동 2026-7"))
    text = (world.version(done.version) / "erasure_proof.json").read_text("utf-8")
    proof = json.loads(text)
    assert proof["erased"] == ["papers/[withheld 1]"] and proof["query"]["rows"] == 0
    assert {one["path"] for one in proof["files"]} == set(done.files)
    assert all(one["before"]["sha256"] == before[one["path"]].sha256 for one in proof["files"])
    assert not any(word in text for word in ("13.txt", "홍길동", "folder:", PAPERS["13"][:20]))


FALSE = {
    "its count": lambda proof: proof["after"].update(documents=4),
    "an erased document": lambda proof: proof.update(erased=["papers/[withheld 9]"]),
    "a file": lambda proof: proof["files"][0]["after"].update(sha256="0" * 64),
    "its query": lambda proof: proof["query"].update(sql="SELECT 0 AS n FROM data LIMIT 1"),
}


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("case", FALSE)
def test_a_proof_that_was_changed_is_a_finding(world: World, case: str) -> None:
    new = world.version(world.erase(stone("id", ID)).version)
    path = new / "erasure_proof.json"
    proof = json.loads(path.read_text("utf-8"))
    FALSE[case](proof)
    path.write_text(json.dumps(proof), encoding="utf-8")
    assert {one.check for one in checked(new)} >= {"proof", "sums"}


# Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["papers/99.txt", "papers/32", "folder:papers/32.txt"])
def test_a_document_that_no_stage_holds_cannot_be_erased(world: World, id: str) -> None:
    with pytest.raises(CallError, match=r"no release of papers and no stage of .* nothing was written"):
        world.erase(stone("id", "papers/32.txt"), stone("id", id))
    assert not world.home.withdrawals.exists() and not world.version("1.0.1").exists()


def test_a_release_is_named_by_name_version_or_folder(world: World) -> None:
    for name in ("papers", "papers/1.0.0", str(world.first)):
        assert erasing.find_release(world.home, name)[0] == world.first
    for name in ("paper", "papers/2.0.0", "papers/1.0.0/data", ""):
        with pytest.raises(CallError, match=r"has no release .* it has: papers"):
            erasing.find_release(world.home, name)
    world.erase(stone("id", ID))
    for name in ("papers", "papers/1.0.0", "papers/1.0.1"):  # erasures alone came after the first
        assert erasing.find_release(world.home, name)[0].name == "1.0.1"


def test_a_damaged_shard_stops_the_erasure_before_anything_is_published(world: World) -> None:
    shards = {p: pq.read_table(p, partitioning=None)["id"].to_pylist() for p in world.first.glob("data/*/*/*/*")}
    (path,) = (p for p, ids in shards.items() if ID in ids)
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="not the file that the manifest names; nothing was written"):
        world.erase(stone("id", ID))
    assert not world.version("1.0.1").exists()


@pytest.mark.heavy
def test_counts_of_another_detector_are_made_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{DETECTOR} of another day"
    for place in ("malmoi.releases.residue.DETECTOR", "malmoi.releases.verification.verify.DETECTOR"):
        monkeypatch.setattr(place, name)
    new = world.version(world.erase(stone("id", ID)).version)
    assert checked(new) == [] and {row["detector"] for row in audit(new, "residue")} == {name}
