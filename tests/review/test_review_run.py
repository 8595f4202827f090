"""From the queue to the release and back: a decision adds documents to the next release, a revocation removes them."""

import json
from pathlib import Path

import pytest

from flows.review.decisions import Reviewer, decide_target, read_groups
from malmoi.errors import CallError
from malmoi.licensing import review_file
from malmoi.storage import shard
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_corpus import malmoi_in_process
from tests.review import review_workspace
from tests.review.review_workspace import SHAPE, review, run

KIM = ("--reviewer", "Kim", "--reason", "the footer is about the texts")


def latest(workspace: Path) -> Path:
    return (workspace / "6-releases" / "small" / "latest").resolve()


def published(workspace: Path) -> list[str]:
    folder = latest(workspace)
    return sorted(id for path in folder.glob("data/**/*.parquet") for id in shard.read(path, ["id"])["id"].to_pylist())


def waiting(workspace: Path) -> dict[str, list[str]]:
    groups = read_groups(Workspace(workspace), ["own"])
    return {group.shape.key: [item.id for item in group.items] for group in groups}


def card(workspace: Path) -> list[list[object]]:
    found = json.loads((latest(workspace) / "card.json").read_text(encoding="utf-8"))
    return found["tables"]["decisions"]["rows"]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    workspace = review_workspace.make(tmp_path_factory.mktemp("review"))
    run(workspace)
    return workspace


@pytest.mark.heavy
def test_a_decision_enters_the_next_release_and_its_revocation_leaves_it(fresh):
    proven = ["other/proof.txt", "own/proof.txt"]
    assert (published(fresh), card(fresh)) == (proven, [])
    assert waiting(fresh) == {SHAPE: ["own/open.txt", "own/window.txt"]}
    before = {path.name for path in Workspace(fresh).shards("3-clean")}

    said = review(fresh, "--decide", SHAPE, "--grant", "CC-BY-4.0", *KIM)
    assert "CC-BY-4.0 granted, 2 documents of the queue" in said
    assert waiting(fresh) == {}  # at once, without a run
    run(fresh)
    assert published(fresh) == sorted([*proven, "own/open.txt", "own/window.txt"])
    id = said.partition(":")[0]
    ((name, target, reviewer, day, licence, reason, documents),) = card(fresh)
    assert (name, target, reviewer, licence, documents) == (id, "shape", "Kim", "CC-BY-4.0", 2)
    assert (len(str(day)), reason) == (10, "the footer is about the texts")
    pack = fresh.parent / "pack"
    options = ("--out", pack, "--workspace", fresh, "--seed", "7", "--size", "4")
    malmoi_in_process("review", "sample", latest(fresh), *options)
    assert "review: **the reason that a person gave for a decision**" in (pack / "evidence.md").read_text("utf-8")
    assert malmoi_in_process("verify", latest(fresh)).returncode == 0
    made = {path.name for path in Workspace(fresh).shards("3-clean")} - before
    assert [{one["source"] for one in shard.read(p / "documents.parquet", ["source"]).to_pylist()}
            for p in Workspace(fresh).shards("3-clean") if p.name in made] == [{"own"}]  # fmt: skip

    said = review(fresh, "--decide", "own/window.txt", "--deny", *KIM)
    run(fresh)
    assert published(fresh) == sorted([*proven, "own/open.txt"])
    assert card(fresh)[0][-1] == 1

    review(fresh, "revoke", id, "--reviewer", "Lee", "--reason", "the footer is about the pictures")
    assert waiting(fresh) == {SHAPE: ["own/open.txt"]}
    run(fresh)
    assert (published(fresh), card(fresh)) == (proven, [])
    assert waiting(fresh) == {SHAPE: ["own/open.txt"]}

    review(fresh, "revoke", said.partition(":")[0], "--reviewer", "Lee", "--reason", "it may wait")
    assert waiting(fresh) == {SHAPE: ["own/open.txt", "own/window.txt"]}
    count = len(Workspace(fresh).shards("3-clean"))
    run(fresh)  # nothing is decided any longer: the first shards are used again
    assert len(Workspace(fresh).shards("3-clean")) == count
    assert waiting(fresh) == {SHAPE: ["own/open.txt", "own/window.txt"]}


@pytest.mark.heavy
def test_a_denial_takes_out_a_text_with_a_proof(tmp_path):
    workspace = review_workspace.make(tmp_path)
    run(workspace)
    review(workspace, "--addresses", "folder:own/proof.txt", "--source", "own", "--deny", *KIM)
    run(workspace)
    assert published(workspace) == ["other/proof.txt"]


def test_the_list_shows_shape_example_and_number(fresh):
    said = review(fresh, "--list")
    assert f"shape: {SHAPE}" in said and "own/open.txt" in said and "CC BY 4.0" in said
    first = json.loads(review(fresh, "--list", "--json", "--source", "own").splitlines()[0])
    assert (first["number"], first["shape"], first["documents"]) == (1, SHAPE, 2)


@pytest.mark.heavy
def test_decisions_travel_as_a_file_and_return_unchanged(fresh, tmp_path):
    copy = review_workspace.make(tmp_path)
    run(copy)
    review(copy, "--decide", SHAPE, "--grant", "CC-BY-4.0", *KIM)
    review(copy, "--decide", "own/open.txt", "--deny", *KIM)
    made = review_file.read(copy / "reviews.jsonl")
    review(copy, "revoke", made[1].id, "--reviewer", "Lee", "--reason", "it is fine")
    review(copy, "export", tmp_path / "decisions.jsonl")

    again = review_workspace.make(tmp_path / "again")
    run(again)
    assert "2 decisions added, 0 known before" in review(again, "import", tmp_path / "decisions.jsonl")
    assert "0 decisions added, 2 known before" in review(again, "import", tmp_path / "decisions.jsonl")
    assert review_file.read(again / "reviews.jsonl") == review_file.read(copy / "reviews.jsonl")
    assert review(again, "decisions") == review(copy, "decisions")
    assert review(again, "export", "-").encode() == (tmp_path / "decisions.jsonl").read_bytes()

    (tmp_path / "bad.jsonl").write_text((tmp_path / "decisions.jsonl").read_text("utf-8") + "{}\n", encoding="utf-8")
    before = (again / "reviews.jsonl").read_bytes()
    done = malmoi_in_process("review", "import", tmp_path / "bad.jsonl", "--workspace", again)
    assert done.returncode == 2 and "bad.jsonl, line 3" in done.stderr
    assert (again / "reviews.jsonl").read_bytes() == before


@each_row(
    ("target", "value", "licence"),
    [
        ("item", "own/proof.txt", "CC-BY-4.0"),  # needs no review
        ("item", "own/none.txt", "CC-BY-4.0"),
        ("item", "other/open.txt", "CC-BY-4.0"),  # of another source
        ("shape", SHAPE.replace("div", "p"), "CC-BY-4.0"),
        ("shape", SHAPE.replace("div", "p"), ""),
        ("shape", SHAPE, "CC0-1.0"),
        ("addresses", "https://elsewhere.example/", "CC-BY-4.0"),
        ("addresses", "^(", "CC-BY-4.0"),
    ],
)
def test_nothing_is_granted_that_is_not_in_the_queue(fresh, target, value, licence):
    before = review_file.read(fresh / "reviews.jsonl")
    with pytest.raises(CallError):
        decide_target(Workspace(fresh), target, value, "own", licence, Reviewer("Kim", "because"))
    assert review_file.read(fresh / "reviews.jsonl") == before


def test_a_damaged_file_of_decisions_stops_the_run(tmp_path):
    workspace = review_workspace.make(tmp_path)
    run(workspace)
    (workspace / "reviews.jsonl").write_text("{}\n", encoding="utf-8")
    done = malmoi_in_process(
        "curate", tmp_path / "small.toml", "--source", tmp_path / "own.py", "--workspace", workspace
    )
    assert done.returncode == 2 and "reviews.jsonl, line 1: not a decision" in done.stderr
