"""Documents are judged before near copies are dropped: no text is lost with a copy that a filter drops."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cards import render_card
from filters import exact_duplicates, quarantine
from flows import status
from flows.collect import collect
from flows.engine import run_surveys
from flows.engine.progress import Progress
from flows.reports import curation_report
from flows.run import list_recipes, recipe_of
from malmoi.document import Document, Provenance
from malmoi.ledger import total
from malmoi.releases.verification.invariants import LAWS
from malmoi.releases.verification.verify import verify
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import open_tables
from malmoi.workspace import Workspace
from tests.builders.small_papers import PAPERS, PLANT, VILLAGE, audit, data, numbers, paper, run, written
from tests.builders.small_survey import rows, shards


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    root = tmp_path_factory.mktemp("papers")
    source, recipe = written(root, PAPERS)
    return source, recipe, *run(source, recipe, root / "w")


@pytest.mark.heavy
def test_near_copies_of_a_dropped_document_are_released(done):
    *_, made = done
    assert numbers(data(made.folder)["id"].to_pylist()) == {"02", "03", "13", "31"}


def test_the_release_verifies(done):
    *_, made = done
    assert verify(made.folder, render=render_card) == []


def test_every_drop_has_one_reason(done):
    *_, made = done
    said = [(*numbers([row["id"]]), row["stage"], row["reason"]) for row in audit(made.folder, "dropped")]
    assert sorted(said) == [
        ("01", "4-judged", "resident-number"),
        ("04", "4-judged", "exact-copy"),
        ("11", "4-judged", "resident-number"),
        ("12", "4-judged", "resident-number"),
        ("14", "4-judged", "exact-copy"),
        ("32", "5-curated", "near-copy"),
    ]


def test_a_keeper_is_released_unless_its_text_was_dropped_with_its_exact_copies(done):
    *_, made = done
    found = {numbers([r["member"]]).pop(): r for r in audit(made.folder, "clusters")}
    assert {member: (numbers([r["keeper"]]).pop(), r["kind"], r["reason"]) for member, r in found.items()} == {
        "04": ("01", "exact", "id"),
        "14": ("13", "exact", "id"),
        "32": ("31", "near", "id"),
    }


def test_the_counts_of_the_stages_are_those_of_the_lists(done):
    *_, curated, made = done
    stages = Counter({(r["stage"], r["outcome"], r["reason"]): r["n"] for r in audit(made.folder, "stages")})
    assert stages["4-judged", "in", ""] == len(PAPERS)
    assert stages["4-judged", "dropped", "exact-copy"] == 2
    assert stages["4-judged", "dropped", "resident-number"] == 3
    assert stages["5-curated", "dropped", "near-copy"] == 1
    entered, kept, dropped, _ = total(curated.ledgers("4-judged"))
    assert entered.total() == kept.total() + dropped.total() and min(dropped.values()) > 0


def test_the_status_of_a_workspace_counts_every_document_once(done):
    _, _, home, *_ = done
    entered, kept, dropped, failed = total(status.read_ledgers(home, "4-judged"))
    assert (entered.total(), kept.total(), dropped.total(), len(failed)) == (10, 5, 5, 0)


def test_the_funnel_ends_where_the_stage_does(done):
    _, _, home, recipe, curated, _ = done
    steps = {s["filter"]: s for s in curation_report.funnel(recipe.stage("curated"), curated.ledgers("5-curated"))}
    near = steps["near_duplicates"]
    assert (near["in"], near["dropped"], near["out"]) == (5, [("near-copy", 1)], 4)
    assert curation_report.write(home, recipe, curated).exists()


def test_a_second_run_finds_everything_in_place(done):
    source, recipe, home, _, curated, made = done
    before = sorted(path for path in home.root.rglob("*") if "1-captures" not in path.parts)
    *_, again, second = run(source, recipe, home.root)
    assert (second.version, second.new) == (made.version, False)
    assert again == curated
    assert sorted(path for path in home.root.rglob("*") if "1-captures" not in path.parts) == before


@pytest.mark.heavy
def test_a_lost_survey_or_shard_is_made_again_as_it_was(done, tmp_path):
    source, recipe, home, _, curated, made = done
    expected = (made.folder / "SHA256SUMS").read_text("utf-8")
    tables = [path.parent for path in curated.tables]
    sketches = [path.parent for path in home.root.glob("surveys/*/sketch.parquet")]
    assert len(tables) == 2 and sketches
    for number, lost in enumerate((tables, sketches, list(home.root.glob("[45]-*/*")))):
        copy = tmp_path / str(number)
        shutil.copytree(home.root, copy)
        shutil.rmtree(copy / "6-releases")
        for folder in lost:
            shutil.rmtree(copy / folder.relative_to(home.root))
        *_, second = run(source, recipe, copy)
        assert (second.folder / "SHA256SUMS").read_text("utf-8") == expected


@pytest.mark.heavy
def test_the_cut_of_shards_and_the_number_of_workers_change_nothing(done, tmp_path):
    source, recipe, _, _, curated, made = done
    pages = Path(source).parent / "papers"
    places = {pages / f"{name}.txt": tmp_path / f"{name}.txt" for name in ("01", "11", "13")}
    for path, place in places.items():
        shutil.move(path, place)
    try:
        collect(Workspace.open(tmp_path / "w"), source, Progress(quiet=True))
    finally:
        for path, place in places.items():
            shutil.move(place, path)
    *_, again, second = run(source, recipe, tmp_path / "w", workers=2)
    assert len(again.ledgers("2-documents")) > len(curated.ledgers("2-documents"))
    assert (second.folder / "SHA256SUMS").read_text("utf-8") == (made.folder / "SHA256SUMS").read_text("utf-8")


def test_what_was_released_is_in_the_next_version_as_well(tmp_path):
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("01", "02", "03", "11", "12", "13")})
    *_, first = run(source, recipe, tmp_path / "w")
    (tmp_path / "papers" / "31.txt").write_text(PAPERS["31"], encoding="utf-8")
    *_, second = run(source, recipe, tmp_path / "w")
    assert numbers(data(first.folder)["id"].to_pylist()) == {"02", "03", "13"}
    assert numbers(data(second.folder)["id"].to_pylist()) == {"02", "03", "13", "31"}
    assert verify(second.folder, render=render_card) == []


def test_a_document_that_any_filter_drops_takes_no_near_copy_with_it(tmp_path):
    papers = {name: PAPERS[name] for name in ("01", "02", "03")}
    limit = sorted(len("".join(said.split())) for said in papers.values())[1]
    source, recipe = written(tmp_path, papers, judged=f'[[judged]]\nfilter = "length"\nmin_chars = {limit}\n')
    *_, made = run(source, recipe, tmp_path / "w")
    (kept,) = numbers(data(made.folder)["id"].to_pylist())
    short = ({"02", "03"} - {kept}).pop()
    said = {(*numbers([row["id"]]), row["stage"], row["reason"]) for row in audit(made.folder, "dropped")}
    assert said == {("01", "4-judged", "resident-number"), (short, "4-judged", "too-short")}
    assert verify(made.folder, render=render_card) == []


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("count", range(2, 6))
def test_however_many_near_copies_are_dropped_the_last_good_one_is_released(tmp_path, count):
    papers = {f"{n:02}": paper(PLANT, {n: n % 4}, resident=True) for n in range(count)}
    source, recipe = written(tmp_path, papers | {"50": paper(PLANT), "60": paper(VILLAGE)})
    *_, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"50", "60"}


@pytest.mark.heavy
def test_of_three_in_a_chain_whose_first_is_dropped_one_is_released(tmp_path):
    """The second is alike to the first and to the third, which are not alike."""
    papers = {"01": paper(VILLAGE, {4: 0}, resident=True), "02": paper(VILLAGE), "03": paper(VILLAGE, {10: 3})}
    source, recipe = written(tmp_path, papers)
    *_, made = run(source, recipe, tmp_path / "w")
    (kept,) = data(made.folder)["id"].to_pylist()
    (row,) = audit(made.folder, "clusters")
    assert {row["member"], row["keeper"]} == {"papers/02.txt", "papers/03.txt"} and row["keeper"] == kept
    assert verify(made.folder, render=render_card) == []
    *_, again, second = run(source, recipe, tmp_path / "w")
    assert not second.new and len(again.tables) == 2


@pytest.mark.heavy
def test_near_copies_of_two_dropped_documents_are_compared_with_each_other(tmp_path):
    papers = {
        "01": paper(VILLAGE, {4: 0}, resident=True),
        "02": paper(VILLAGE),
        "03": paper(VILLAGE, {10: 3}, resident=True),
        "04": paper(VILLAGE, {10: 3}),
        "31": PAPERS["31"],
    }
    source, recipe = written(tmp_path, papers)
    *_, made = run(source, recipe, tmp_path / "w")
    kept = numbers(data(made.folder)["id"].to_pylist(), {})
    assert "31" in kept and len(kept & {"02", "04"}) == 1 and len(kept) == 2
    assert verify(made.folder, render=render_card) == []


def test_a_document_that_failed_takes_no_near_copy_with_it(tmp_path, monkeypatch):
    judge = quarantine.judge

    def breaks(doc, **params):
        if doc.id == "papers/31.txt" and doc.text:
            raise RuntimeError("a fault of ours")
        return judge(doc, **params)

    monkeypatch.setattr(quarantine, "judge", breaks)
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("02", "31", "32")})
    *_, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"02", "32"}
    assert [row["id"] for row in audit(made.folder, "failed")] == ["papers/31.txt"]
    assert verify(made.folder, render=render_card) == []


TEXT = paper(VILLAGE)


def exact(docs: list[Document], folder: Path) -> dict[str, str]:
    """Exact copies among documents: id → the document that is kept."""
    survey, found = exact_duplicates.SURVEY, shards(docs, folder / "in", 2)
    for here, at in zip(found, range(0, len(docs), 2), strict=True):
        sketches = [dict(survey.sketch(doc)) for doc in docs[at : at + 2]]
        shard.write(pa.Table.from_pylist(sketches, schema=survey.schema), here.sketch)
    survey.carrier(found, (), folder / "out", lambda call, jobs: [call(job) for job in jobs])
    return {id: row["keeper"] for id, row in rows(folder / "out").items()}


def document(id: str, text: str = TEXT, *, use: str = "redistribute", **more: str) -> Document:
    url = more.pop("url", "https://a.example/1")
    return Document(id, text, Provenance(id.partition("/")[0], url, "", "", ""), labels=(("use", use),), **more)


def test_of_exact_copies_the_one_with_the_freest_rights_is_kept(tmp_path):
    docs = [document("a/1", use="train-only"), document("b/1"), document("c/1", TEXT.replace("\n", "\n\n"))]
    assert exact(docs, tmp_path) == {"a/1": "b/1", "c/1": "b/1"}


@pytest.mark.parametrize(
    "refused",
    [
        document("a/u/hong%40example.kr"),
        document("a/1", title="900101-1234567"),
        document("a/1", author="900101-1234567"),
        document("a/1", url="https://a.example/?n=900101-1234567"),
    ],
    ids=["id", "title", "author", "address"],
)
def test_an_exact_copy_is_not_dropped_for_one_that_quarantine_drops_for_more_than_its_text(tmp_path, refused):
    docs = [refused, document("b/1"), document("c/1")]
    assert quarantine.judge(replace(refused, text="")).outcome == "drop"
    assert exact(docs, tmp_path) == {"c/1": "b/1"}


def test_near_copies_are_no_exact_ones(tmp_path):
    docs = [document("a/1"), document("b/1", TEXT.replace(".", "!")), document("c/1", "!?"), document("d/1", "…")]
    assert exact(docs, tmp_path) == {}


@pytest.mark.heavy
def test_a_survey_behind_the_judge_of_exact_copies_does_not_count_them(tmp_path):
    """The notice is in three files, two of which are equal: for a repeated paragraph that is one too few."""
    notice = "이 글은 2024년 3월 5일에 작성되었습니다."
    papers = {
        "01": f"{paper(VILLAGE)}\n{notice}",
        "02": f"{paper(VILLAGE)}\n\n{notice}",
        "03": f"{paper(PLANT)}\n{notice}",
    }
    step = '[[judged]]\nfilter = "repeated_paragraphs"\nhost_documents = 3\n'
    source, recipe_name = written(tmp_path, papers)
    text = Path(recipe_name).read_text("utf-8")
    head, exact_step, rest = text.partition('[[judged]]\nfilter = "exact_duplicates"\n')
    for steps, counted in ((exact_step + step, False), (step + exact_step, True)):
        Path(recipe_name).write_text(head + steps + rest, encoding="utf-8")
        *_, made = run(source, recipe_name, tmp_path / f"w{counted}")
        left = sum(notice in text for text in data(made.folder)["text"].to_pylist())
        assert left < 2 if counted else left == 2


def test_lookups_stand_before_the_surveys_that_they_narrow():
    for name in list_recipes():
        found = {
            step.survey: [s.filter for s in lookups]
            for step, _, lookups in run_surveys.list_surveys(recipe_of(name).stage("judged"))
        }
        assert found == {"exact_copies": [], "paragraphs": ["exact_duplicates"]}


def test_a_release_in_which_a_published_document_is_said_to_be_dropped_does_not_verify(done, tmp_path):
    *_, made = done
    shutil.copytree(made.folder, tmp_path / "r")
    path = tmp_path / "r" / "audit" / "dropped.parquet"
    table = pq.read_table(path)
    row = {**table.to_pylist()[0], "id": "papers/02.txt", "stage": "5-curated", "reason": "near-copy"}
    pq.write_table(pa.concat_tables([table, pa.Table.from_pylist([row], table.schema)]), path)
    (law,) = (law for law in LAWS if "is in data/" in law.says and law.path == "audit/dropped.parquet")
    with open_tables(tmp_path / "r") as tables:
        assert [found[0] for found in tables.ask(law.sql).rows] == ["papers/02.txt"]
    with open_tables(made.folder) as tables:
        assert tables.ask(law.sql).rows == ()
