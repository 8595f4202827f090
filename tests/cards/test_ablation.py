"""Ablations of a release: kept by `malmoi ablate --workspace`, and stated on the next card of the release."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import data_cards
from malmoi.ablation import MEAN, Ablation, parse_result
from malmoi.document import Document
from malmoi.errors import DataError
from malmoi.releases import manifest
from malmoi.releases.publish import publish
from malmoi.releases.sampling import read_last
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.workspace import Workspace
from tests.builders.small_ablation import make_texts, write_ablation, write_lines, write_trainer
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_release import documents, inputs

COMMAND = "malmoi ablate plan.toml results"
PLAN = """
setting = "tiny"
seeds = 2

[[input]]
name = "raw"
path = "half.jsonl"

[[input]]
name = "release"
path = "{release}"

[[input]]
name = "release-best"
path = "{release}"
where = "quality > 0.3"

[[held_out]]
name = "unseen"
path = "unseen.jsonl"

[[held_out]]
name = "more"
path = "more.jsonl"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace `w`, whose only release has 96 documents, and an ablation that is kept in it."""
    pytest.importorskip("tokenizers")
    root = tmp_path_factory.mktemp("made")
    release = publish_with(None, root, documents(96))
    facts = manifest.read(release)
    target = Workspace.open(root / "w").releases(facts.name) / facts.version
    target.parent.mkdir(parents=True)
    release.rename(target)
    write_ablation(root, PLAN.format(release=target))
    write_lines(root / "more.jsonl", make_texts(9, 40))
    assert "kept. The next release prints it on its card." in ablate(root)
    return root


def ablate(folder: Path, *options: str, status: int = 0) -> str:
    given = (folder / "plan.toml", folder / "results", "--python", write_trainer(folder))
    done = malmoi_in_process("ablate", *given, *(options or ("--workspace", folder / "w")))
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def find_release(folder: Path) -> Path:
    return next(folder.glob("w/6-releases/*/1.0.0"))


def read_kept(folder: Path) -> Ablation:
    found = read_last(Workspace.open(folder / "w").ablations("sample"), parse_result)
    assert found
    return found


def publish_with(found: Ablation | None, root: Path, docs: Sequence[Document] = ()) -> Path:
    folder = root / "r"
    publish(replace(inputs(root / "in", docs or documents()), ablation=found), folder, tmp=root)
    data_cards.write(folder)
    seal(folder)
    return folder


@pytest.mark.heavy
def test_every_input_that_is_the_release_is_kept_with_the_baseline(made: Path) -> None:
    found, facts = read_kept(made), json.loads((made / "results/ablation.json").read_text(encoding="utf-8"))
    assert (found.version, found.baseline, found.command, found.seeds) == ("1.0.0", "raw", COMMAND, 2)
    assert found.tokens == facts["tokens"]["each_input"] and found.method == facts["version"]
    assert found.root == manifest.read(find_release(made)).root
    sets = ("unseen", "more", MEAN)
    assert [(one.held_out, one.input) for one in found.measurements] == [
        (held_out, name) for held_out in sets for name in ("raw", "release", "release-best")
    ]
    raw, whole, part = found.measurements[:3]
    assert raw.difference is raw.same_sign is None and part.condition == "quality > 0.3" and not whole.condition
    difference = facts["bits"]["unseen"]["release"]["difference"]
    assert (whole.difference, whole.same_sign) == (difference["mean"], difference["same_sign"])


@pytest.mark.heavy
def test_the_next_release_states_the_ablation_with_its_command(made: Path, tmp_path: Path) -> None:
    found = read_kept(made)
    folder = publish_with(found, tmp_path)
    assert verify(folder, render=data_cards.render_texts) == []
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    numbers = {key: one["value"] for key, one in card["numbers"].items()}
    named = ("ablated_version", "ablation_baseline", "ablation_setting", "ablation_seeds", "ablation_command")
    assert [numbers[key] for key in named] == ["1.0.0", "raw", "tiny", 2, COMMAND]
    assert numbers["ablation_tokens"] == found.tokens
    rows = card["tables"]["ablation"]["rows"]
    names = ["raw", "release", "release-best"]
    assert [row[:2] for row in rows] == [[one, name] for one in ("more", "unseen", MEAN) for name in names]
    mean = next(one for one in found.measurements if (one.held_out, one.input) == (MEAN, "release"))
    shown = [f"{value:.3f}" for value in (mean.bits, mean.low, mean.high)]
    assert mean.difference and mean.difference_low is not None and mean.difference_high is not None
    shown += [f"{value:+.3f}" for value in (mean.difference, mean.difference_low, mean.difference_high)]
    assert rows[7][2:] == ["", *shown, "yes" if mean.same_sign else "no"]
    assert rows[6][6:] == [None] * 4
    bits, low, high = shown[:3]
    assert f"| mean of sets | release | {bits} [{low}, {high}] | " in (folder / "README.md").read_text(encoding="utf-8")
    for name, words in (("README.md", "and on the baseline raw"), ("index.html", "and on the baseline raw"),
                        ("README.ko.md", "기준 입력 raw"), ("index.ko.html", "기준 입력 raw")):  # fmt: skip
        text = (folder / name).read_text(encoding="utf-8")
        assert words in text and COMMAND in text and "quality" in text


def test_a_release_without_an_ablation_says_so(tmp_path: Path) -> None:
    folder = publish_with(None, tmp_path)
    assert verify(folder, render=data_cards.render_texts) == []
    for name, words in (("README.md", "learns: not measured"), ("index.ko.html", "학습 결과: 측정하지 않음")):
        assert words in (folder / name).read_text(encoding="utf-8")


@pytest.mark.heavy
def test_a_later_ablation_replaces_the_earlier_one(made: Path) -> None:
    plan = made / "plan.toml"
    before = plan.read_text(encoding="utf-8")
    try:
        plan.write_text(before.replace("seeds = 2", "seeds = 3"), encoding="utf-8")
        ablate(made)
        assert read_kept(made).seeds == 3 and len(list(made.glob("w/ablations/*/*"))) == 1
    finally:
        plan.write_text(before, encoding="utf-8")
        ablate(made)


def test_a_workspace_without_a_release_of_the_plan_is_refused_before_any_model(made: Path, tmp_path: Path) -> None:
    write_ablation(tmp_path)
    assert "no input of" in ablate(tmp_path, "--workspace", str(made / "w"), status=2)
    assert "no input of" in ablate(tmp_path, "--workspace", str(tmp_path / "new"), status=2)
    write_ablation(
        tmp_path, (tmp_path / "plan.toml").read_text("utf-8").replace("korean.jsonl", str(find_release(made)))
    )
    assert "after the first" in ablate(tmp_path, "--workspace", str(made / "w"), status=2)
    assert not (tmp_path / "results").exists() and not (tmp_path / "new").exists()


@pytest.mark.one_case_in(8)
@pytest.mark.parametrize(
    "change",
    [
        {"bits": 99.0},
        {"low": 98.0, "high": 99.0},
        {"difference": None},
        {"difference": 0.5, "difference_low": 0.4, "difference_high": 0.6},
        {"difference_low": 8.0, "difference_high": 9.0},
        {"same_sign": None},
        {"input": "raw"},
    ],
)
def test_numbers_that_contradict_each_other_are_found(change: dict, made: Path, tmp_path: Path) -> None:
    found = read_kept(made)
    rows = list(found.measurements)
    rows[1] = replace(rows[1], **change)
    folder = publish_with(replace(found, measurements=tuple(rows)), tmp_path)
    assert {one.path for one in verify(folder)} == {"audit/ablation.parquet"}


def test_a_mean_that_is_not_that_of_the_sets_is_found(made: Path, tmp_path: Path) -> None:
    found = read_kept(made)
    rows = [
        replace(one, bits=one.bits + 1, low=one.low + 1, high=one.high + 1) if one.held_out == MEAN else one
        for one in found.measurements
    ]
    folder = publish_with(replace(found, measurements=tuple(rows)), tmp_path)
    assert {one.path for one in verify(folder)} == {"audit/ablation.parquet"}


def test_a_condition_with_personal_data_stops_the_release(made: Path, tmp_path: Path) -> None:
    found = read_kept(made)
    rows = [replace(one, condition="id = '주민등록번호 990131-1234567'") for one in found.measurements]
    with pytest.raises(DataError, match="the plan of the ablation"):
        publish_with(replace(found, measurements=tuple(rows)), tmp_path)
