"""Samples of grants: drawn by the seed alone, judged by people, kept for the release, and stated on its card."""

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import data_cards
from flows.review import sample
from malmoi.errors import CallError
from malmoi.recipe import Expectations
from malmoi.releases import manifest
from malmoi.releases.expectation_checks import measure
from malmoi.releases.publish import publish
from malmoi.releases.sampling.wrong_grants import (
    Counts,
    allocate,
    count_strata,
    draw,
    estimate,
    read_answers,
    read_sample,
)
from malmoi.releases.verification.invariants import LAWS
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.storage.duckdb_tables import open_tables
from malmoi.workspace import Workspace
from tests.builders.small_release import documents, inputs, sealed


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a release of 24 documents: 16 of `ga` by a block, 7 of `na` by a link and one by a block."""
    root = tmp_path_factory.mktemp("made")
    release = sealed(root)
    made = manifest.read(release)
    target = Workspace.open(root / "w").releases(made.name) / made.version
    target.parent.mkdir(parents=True)
    release.rename(target)
    return root / "w"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(made, tmp_path / "w")
    return Workspace.open(tmp_path / "w")


def release_of(workspace: Workspace) -> Path:
    return next(path.parent for path in workspace.root.glob("6-releases/*/*/manifest.json"))


def fill(sheet: Path, verdicts: dict[int, str], reviewer: str = "가나", date: str = "2026-11-28") -> None:
    """Write `right` in each row but those of `verdicts`; reviewer and date in the first row only."""
    with sheet.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        row["verdict"] = verdicts.get(number, "right")
    rows[0] |= {"reviewer": reviewer, "date": date}
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("strata", "size", "places"),
    [
        ({"a": 900, "b": 100}, 10, {"a": 9, "b": 1}),
        ({"a": 900, "b": 99, "c": 1}, 10, {"a": 8, "b": 1, "c": 1}),  # one of each comes before proportion
        ({"a": 5, "b": 7, "c": 6}, 2, {"b": 1, "c": 1}),  # too few for each: the largest
        ({"a": 3, "b": 2}, 50, {"a": 3, "b": 2}),  # all of them
        ({}, 5, {}),
    ],
)
def test_places_are_proportional_with_one_for_each(strata, size, places):
    found = allocate({(name, "field"): n for name, n in strata.items()}, size)
    assert found == {(name, "field"): n for name, n in places.items()}


def test_the_seed_alone_decides_the_sample(workspace: Workspace) -> None:
    release = release_of(workspace)
    drawn, strata = draw(release, "오월", 12)
    assert (drawn, strata) == draw(release, "오월", 12) and drawn != draw(release, "유월", 12)[0]
    assert strata == {("ga", "kogl-block"): 16, ("na", "kogl-block"): 1, ("na", "rel-license"): 7}
    ga, na, linked = strata
    assert [one.stratum for one in drawn] == [*[ga] * 8, na, *[linked] * 3]
    more = {one.id for one in draw(release, "오월", 24)[0]}
    assert len(more) == 24 and {one.id for one in drawn} < more
    assert len({one.id for one in draw(release, 'it\'s "a" seed', 24)[0]}) == 24


def test_a_document_of_a_proof_is_in_its_stratum_whatever_else_names_a_licence(tmp_path: Path) -> None:
    docs = documents(6)
    (said,) = docs[0].evidence
    more = (replace(said, kind="image"), replace(said, kind="statute", scope="site"), replace(said, kind="review"))
    given = inputs(tmp_path / "in", [replace(docs[0], evidence=(*more, said)), *docs[1:]])
    publish(given, tmp_path / "r", tmp=tmp_path)
    with open_tables(tmp_path / "r") as tables:
        assert ("ga", "review") in count_strata(tables)
        assert not {kind for _, kind in count_strata(tables)} & {"image", "statute"}


def test_the_interval_is_wilsons_where_the_sample_is_proportional() -> None:
    """Wilson 1927; 3 of 50: 0.0206 to 0.1622, as in the tables of textbooks."""
    one = estimate([Counts("a", "field", 500, judged=50, wrong=2, unsure=1)])
    two = estimate([Counts("a", "field", 300, judged=30, wrong=2), Counts("b", "field", 200, judged=20, unsure=1)])
    assert one == two and (one.value, one.low, one.high) == (0.06, 0.0206, 0.1622)


def test_a_stratum_that_is_sampled_thinly_weighs_by_its_documents_and_widens_the_interval() -> None:
    found = estimate([Counts("a", "field", 900, judged=10, wrong=1), Counts("b", "field", 100, judged=90)])
    assert found.value == 0.09
    n = 1 / (0.9**2 / 10 + 0.1**2 / 90)
    assert math.isclose(n, 12.33, abs_tol=0.01) and found.high > 0.3
    apart = estimate([Counts("a", "field", 10, judged=10), Counts("b", "field", 10)])
    assert apart == estimate([Counts("a", "field", 10, judged=10)])  # what was not sampled is not spoken of
    with pytest.raises(ValueError, match="no document"):
        estimate([Counts("a", "field", 10)])


@pytest.mark.heavy
def test_a_filled_sheet_is_kept_and_the_next_release_states_the_rate(workspace: Workspace, tmp_path: Path) -> None:
    release = release_of(workspace)
    assert sample.write_sheet(release, workspace, tmp_path / "s", seed="오월", size=12) == (12, 3)
    head = (tmp_path / "s" / sample.REVIEW).read_text(encoding="utf-8").splitlines()[0]
    assert head == "id,source,proof,license,url,verdict,reviewer,date,note"
    fill(tmp_path / "s" / sample.REVIEW, {1: "wrong", 9: "unsure"})
    kept, rate, counts = sample.keep_answers(tmp_path / "s", workspace.root)
    assert [(one.judged, one.wrong, one.unsure) for one in counts] == [(8, 1, 0), (1, 0, 0), (3, 0, 1)]
    assert (rate.value, rate == estimate(counts)) == (0.1806, True)
    answers = json.loads(kept.read_text(encoding="utf-8"))["answers"]
    assert {(one["reviewer"], one["date"]) for one in answers} == {("가나", "2026-11-28")}
    name = json.loads((release / "manifest.json").read_text(encoding="utf-8"))["name"]
    found = read_sample(workspace, name)
    assert found and (found.reviewers, found.last, found.strata) == (1, "2026-11-28", counts)
    given = replace(inputs(tmp_path / "in", documents()), sample=found)
    publish(given, tmp_path / "r", tmp=tmp_path)
    data_cards.write(tmp_path / "r")
    seal(tmp_path / "r")
    assert verify(tmp_path / "r", render=data_cards.render_texts) == []
    card = json.loads((tmp_path / "r" / "card.json").read_text(encoding="utf-8"))
    numbers = {name: one["value"] for name, one in card["numbers"].items()}
    named = ("sampled", "sampled_of", "sampled_version", "wrong_grants", "wrong_grants_least", "wrong_grants_most")
    assert [numbers[name] for name in named] == [12, 24, "1.0.0", "18.06", "5.26", "46.67"]
    assert card["tables"]["judged_grants"]["rows"][0] == ["ga", "kogl-block", 16, 8, 1, 0]
    for page in ("README.md", "index.html"):
        assert "18.06 %, 95 % interval 5.26 to 46.67 %." in (tmp_path / "r" / page).read_text(encoding="utf-8")
    with open_tables(tmp_path / "r") as tables:
        law = next(law for law in LAWS if law.path == "audit/judged_grants.parquet")
        assert tables.ask(law.sql.replace("wrong + unsure", "wrong")).rows  # a rate of other counts is found
    (outcome,) = measure(tmp_path / "r", Expectations(max_wrong_grants=0.1, max_quarantined=1))
    assert not outcome.met and outcome.measured == "0.1806 (2 of 12, 95 % interval 0.0526 to 0.4667)"
    assert measure(
        tmp_path / "r", Expectations(max_wrong_grants=0.1, max_quarantined=1), tmp_path / "s" / sample.REVIEW
    ) == [outcome]


def test_a_release_without_a_sample_says_so(workspace: Workspace) -> None:
    release = release_of(workspace)
    assert read_sample(workspace, "small") is None
    for page, words in (("README.md", "not sampled"), ("index.ko.html", "표본 검토 없음")):
        assert words in (release / page).read_text(encoding="utf-8")
    assert measure(release, Expectations(max_wrong_grants=0.0, max_quarantined=1)) == []


def test_the_highest_version_that_was_sampled_counts(workspace: Workspace) -> None:
    facts = {"root": "r", "seed": "s", "strata": [], "answers": [{"reviewer": "a", "date": "2026-11-28"}]}
    for version in ("1.2.0", "1.10.0"):
        path = workspace.sample("small", version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(facts | {"version": version}), encoding="utf-8")
    found = read_sample(workspace, "small")
    assert found and found.version == "1.10.0"


@pytest.mark.parametrize("text", ["id,said\na,right\n", "id,verdict\na,perhaps\n", "verdict\nright\n"])
def test_a_review_that_cannot_be_read_names_the_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "judged.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CallError, match=r"judged.csv, line 2: .*right, wrong, unsure"):
        read_answers(tmp_path / "judged.csv")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,,me,2026-11-28", "line 2: .*verdict"),
        ("a,right,,2026-11-28", "line 2: reviewer or date is missing"),
        ("a,right,me,28.11.2026", "line 2: reviewer or date is missing"),
        ("a,right,me,20261128", "line 2: reviewer or date is missing"),
    ],
)
def test_a_sheet_to_be_kept_has_every_verdict_and_who_judged_when(tmp_path: Path, row: str, says: str) -> None:
    (tmp_path / "review.csv").write_text(f"id,verdict,reviewer,date\n{row}\n", encoding="utf-8")
    with pytest.raises(CallError, match=says):
        read_answers(tmp_path / "review.csv", whole=True)
