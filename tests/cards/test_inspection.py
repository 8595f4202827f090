"""Inspections: drawn by the seed alone, read by people, kept for the release, and stated on its card."""

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import data_cards
from flows.review import inspection
from malmoi.errors import CallError
from malmoi.releases import manifest
from malmoi.releases.publish import publish
from malmoi.releases.sampling.inspection import (
    QUESTIONS,
    Inspection,
    QuestionCounts,
    Reading,
    count_answers,
    draw_texts,
    read_inspection,
    read_sheet,
)
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.workspace import Workspace
from tests.builders.small_release import documents, inputs, sealed

DAY = "2026-11-28"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a release of 24 documents."""
    root = tmp_path_factory.mktemp("made")
    release = sealed(root)
    facts = manifest.read(release)
    target = Workspace.open(root / "w").releases(facts.name) / facts.version
    target.parent.mkdir(parents=True)
    release.rename(target)
    return root / "w"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(made, tmp_path / "w")
    return Workspace.open(tmp_path / "w")


def release_of(workspace: Workspace) -> Path:
    return next(path.parent for path in workspace.root.glob("6-releases/*/*/manifest.json"))


def fill(workspace: Workspace, folder: Path, reader: str, yes: dict[int, str], size: int = 12) -> Path:
    """The sheet of a reader whose answer is yes to one question about some documents, by their numbers."""
    sheet = inspection.open_sheet(release_of(workspace), folder, ("오월", size), reader)
    said = [(yes[n],) if n in yes else () for n in range(size)]
    sheet.write([Reading(one.id, say, reader, DAY) for one, say in zip(sheet.texts, said, strict=True)])
    return sheet.path


def test_the_seed_alone_decides_the_sample_and_its_order(workspace: Workspace) -> None:
    release = release_of(workspace)
    texts, count = draw_texts(release, "오월", 12)
    assert count == 24 and (texts, count) == draw_texts(release, "오월", 12)
    ids = [one.id for one in texts]
    assert ids != [one.id for one in draw_texts(release, "유월", 12)[0]] and ids != sorted(ids)
    assert [one.id for one in draw_texts(release, "오월", 5)[0]] == ids[:5]  # who stops early has a sample
    assert len({one.id for one in draw_texts(release, 'it\'s "a" seed', 99)[0]}) == 24
    shown = dict(next(one for one in texts if one.source == "na").labels)
    assert set(shown) <= {"register", "domain", "page_kind", "quality"} and shown["domain"] == "semiconductor"


def test_kappa_is_cohens_and_undefined_where_chance_alone_explains_the_answers() -> None:
    found = QuestionCounts("artefacts", 50, yes_first=25, yes_second=30, yes_both=20)  # the example of textbooks
    assert found.agreement == 0.7 and found.kappa is not None and math.isclose(found.kappa, 0.4)
    same = QuestionCounts("unsuitable", 50, yes_first=0, yes_second=0, yes_both=0)
    assert (same.agreement, same.kappa) == (1.0, None)
    assert QuestionCounts("unsuitable", 50, 0).agreement is QuestionCounts("unsuitable", 50, 0).kappa is None


def test_the_interval_is_wilsons_for_the_documents_however_many_readers_there_are() -> None:
    one = QuestionCounts("artefacts", 50, 3).rate
    assert (one.value, one.low, one.high) == (0.06, 0.0206, 0.1622)
    assert QuestionCounts("artefacts", 50, 3, 3, 2).rate == one  # 100 answers, and still 50 documents
    assert QuestionCounts("artefacts", 50, 2, 4, 1).rate == one  # a document about which they differ counts half


def test_answers_are_counted_by_question() -> None:
    first = [Reading("a", ("artefacts",), "x", DAY), Reading("b", ("artefacts", "unsuitable"), "x", DAY)]
    second = [Reading("b", ("unsuitable",), "y", DAY), Reading("a", ("artefacts",), "y", DAY)]
    found = {one.question: one for one in count_answers([first, second])}
    assert tuple(found) == QUESTIONS
    assert found["artefacts"] == QuestionCounts("artefacts", 2, 2, 1, 1)
    assert found["unsuitable"] == QuestionCounts("unsuitable", 2, 1, 1, 1)
    assert count_answers([first])[1] == QuestionCounts("artefacts", 2, 2)


@pytest.mark.heavy
def test_two_sheets_are_kept_and_the_next_release_states_rates_and_agreement(
    workspace: Workspace, tmp_path: Path
) -> None:
    one = fill(workspace, tmp_path / "s", "kim", {0: "artefacts", 1: "artefacts", 2: "unsuitable"})
    two = fill(workspace, tmp_path / "s", "이", {0: "artefacts", 3: "artefacts"})
    kept, counts = inspection.keep_sheets([one, two], workspace.root)
    assert counts[1] == QuestionCounts("artefacts", 12, 2, 2, 1)
    name = manifest.read(release_of(workspace)).name
    found = read_inspection(workspace, name)
    assert found and (found.readers, found.documents, found.last, found.counts) == (2, 24, DAY, counts)
    assert "kim" in kept.read_text(encoding="utf-8")
    card, folder = publish_with(found, tmp_path)
    numbers = {key: one["value"] for key, one in card["numbers"].items()}
    named = ("inspected", "inspected_of", "inspected_version", "inspectors")
    assert [numbers[key] for key in named] == [12, 24, "1.0.0", 2]
    rows = {row[0]: row[1:] for row in card["tables"]["inspection"]["rows"]}
    assert tuple(rows) == QUESTIONS
    for said in counts:
        rate = said.rate
        shown = [f"{100 * value:.2f}" for value in (rate.value, rate.low, rate.high, said.agreement or 0)]
        kappa = None if said.kappa is None else f"{said.kappa:.3f}"
        assert rows[said.question] == [said.yes_first, said.yes_second, *shown, kappa]
    for page in ("README.md", "index.html"):
        text = (folder / page).read_text(encoding="utf-8")
        words = "artefacts 16.67 %, 95 % interval 4.70 to 44.80 % (two readers agree on 83.33 %, kappa 0.400)"
        assert words in text and "kim" not in text


def publish_with(found: Inspection, tmp_path: Path) -> tuple[dict, Path]:
    """The card of a release that states an inspection, and its folder; it verifies."""
    folder = tmp_path / "r"
    publish(replace(inputs(tmp_path / "in", documents()), inspection=found), folder, tmp=tmp_path)
    data_cards.write(folder)
    seal(folder)
    assert verify(folder, render=data_cards.render_texts) == []
    return json.loads((folder / "card.json").read_text(encoding="utf-8")), folder


def test_one_sheet_states_rates_without_agreement(workspace: Workspace, tmp_path: Path) -> None:
    path = fill(workspace, tmp_path / "s", "kim", {0: "artefacts"})
    inspection.keep_sheets([path], workspace.root)
    found = read_inspection(workspace, manifest.read(release_of(workspace)).name)
    assert found
    card, folder = publish_with(found, tmp_path)
    assert card["tables"]["inspection"]["rows"][1] == ["artefacts", 1, None, "8.33", "1.49", "35.39", None, None]
    assert "추출 잔여물 8.33%, 95% 신뢰구간 1.49~35.39%" in (folder / "index.ko.html").read_text(encoding="utf-8")


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize(
    "counts",
    [
        QuestionCounts("artefacts", 12, 13),
        QuestionCounts("artefacts", 12, 2, 3),
        QuestionCounts("artefacts", 12, 2, 3, 4),
        QuestionCounts("artefacts", 12, 8, 9, 4),
        QuestionCounts("artefacts", 40, 2, 3, 1),
    ],
)
def test_counts_that_contradict_each_other_are_found(counts: QuestionCounts, tmp_path: Path) -> None:
    found = Inspection("1.0.0", "r", "s", 24, 2, DAY, (counts,))
    folder = tmp_path / "r"
    publish(replace(inputs(tmp_path / "in", documents()), inspection=found), folder, tmp=tmp_path)
    data_cards.write(folder)
    seal(folder)
    assert [one.path for one in verify(folder)] == ["audit/inspection.parquet"]


def test_a_release_without_an_inspection_says_so(workspace: Workspace) -> None:
    release = release_of(workspace)
    assert read_inspection(workspace, "small") is None
    for page, words in (("README.md", "Texts: not inspected"), ("index.ko.html", "글: 점검하지 않음")):
        assert words in (release / page).read_text(encoding="utf-8")


def test_a_sheet_goes_on_where_it_was(workspace: Workspace, tmp_path: Path) -> None:
    sheet = inspection.open_sheet(release_of(workspace), tmp_path / "s", ("오월", 12), "kim")
    readings = sheet.read()
    assert [one.id for one in readings] == [one.id for one in sheet.texts] and not any(one.reader for one in readings)
    readings[0] = Reading(readings[0].id, ("artefacts",), "kim", DAY, "메뉴, '로그인'")
    sheet.write(readings)
    again = inspection.open_sheet(release_of(workspace), tmp_path / "s", ("오월", 12), "kim")
    assert again.read() == readings
    other = inspection.open_sheet(release_of(workspace), tmp_path / "s", ("오월", 12), "lee")
    assert other.path != sheet.path and not any(one.reader for one in other.read())


def test_the_texts_can_be_read_without_the_page(workspace: Workspace, tmp_path: Path) -> None:
    sheet = inspection.open_sheet(release_of(workspace), tmp_path / "s", ("오월", 3), "kim")
    text = inspection.write_texts(sheet).read_text(encoding="utf-8")
    for number, one in enumerate(sheet.texts, 1):
        assert f"{number}. {one.id}\n" in text and one.text in text
    head = sheet.path.read_text(encoding="utf-8").splitlines()[0]
    assert head == "id,source,license,other_language,artefacts,unnatural,unsuitable,reader,date,note"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,1,0,0,,me,2026-11-28", "line 2: write 1 for yes and 0 for no"),
        ("a,yes,0,0,0,me,2026-11-28", "line 2: write 1 for yes and 0 for no"),
        ("a,1,0,0,0,,2026-11-28", "line 2: reader or date is missing"),
        ("a,1,0,0,0,me,28.11.2026", "line 2: reader or date is missing"),
        (",1,0,0,0,me,2026-11-28", "line 2: a sheet has the columns id, other_language"),
    ],
)
def test_a_sheet_that_cannot_be_read_names_the_line(tmp_path: Path, row: str, says: str) -> None:
    (tmp_path / "a.csv").write_text(f"id,{','.join(QUESTIONS)},reader,date\n{row}\n", encoding="utf-8")
    with pytest.raises(CallError, match=says):
        read_sheet(tmp_path / "a.csv")


def test_a_sheet_filled_in_elsewhere_needs_reader_and_date_once(tmp_path: Path) -> None:
    rows = [["a", "1", "0", "0", "0", "me", DAY], ["b", "0", "0", "0", "0", "", ""], ["c", "", "", "", "", "", ""]]
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", *QUESTIONS, "reader", "date"], *rows])
    found = read_sheet(tmp_path / "a.csv")
    assert found == [Reading("a", ("other_language",), "me", DAY), Reading("b", (), "me", DAY), Reading("c")]
