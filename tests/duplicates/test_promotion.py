"""A keeper that is dropped later gives its place to the next copy; the books still add up, and the release verifies."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cards import render_card
from filters import host_furniture, near_duplicates, quarantine
from filters.duplicates.minhash.sketch import signatures
from flows import run as runs
from flows.cli import status
from flows.collect import collect
from flows.curate import curate
from flows.engine import executors, late, promotion, worker_pool
from flows.engine.progress import Progress
from flows.release import release
from flows.reports import curation_report
from malmoi.document import Document, Provenance
from malmoi.ledger import REVERSED, total
from malmoi.releases.dropped_signals import Refused, write_dropped_signals
from malmoi.releases.verification.invariants import LAWS
from malmoi.releases.verification.verify import verify
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import open_tables
from malmoi.survey import Surveyed
from malmoi.workspace import Workspace
from tests.builders.small_release import dropped

DATA = Path(__file__).parents[1] / "data" / "promotion"
VILLAGE, PLANT, CHANGES = (
    (DATA / f"{name}.txt").read_text("utf-8").splitlines() for name in ("village", "plant", "changes")
)
RESIDENT = "주민등록번호는 900101-1234567이다."
SOURCE = '''"""Papers of a village and of a plant, all under CC BY 4.0."""
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, Source
SOURCE = Source(
    name="papers", title="문서", publisher="시험", access=Folder(Path({folder!r})),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", file="LICENCE.txt"),),
)
'''
CLEAN, UNIQUE = ("rights", "normalise"), ("exact_duplicates", "near_duplicates")
CURATED = ("personal_data", "quarantine", "redact")


def paper(sentences: list[str], changed: dict[int, int] | None = None, *, resident: bool = False) -> str:
    """Sixteen sentences, some exchanged for others, and where asked for a resident number below the eighth."""
    said = [line.format(place="한내나루터", thing="물레방아") for line in sentences]
    for at, change in (changed or {}).items():
        said[at] = CHANGES[change]
    return "\n".join([*said[:8], *([RESIDENT] if resident else []), *said[8:]])


OTHER = VILLAGE[:8] + PLANT[:8]
# 01 stands for 02 and 03, which are alike to it and not to each other, and 04 says the same as 01.
# 11 stands for 12, which has a number too, for 13, and for 14, which says the same as 13. 31 stands for 32.
PAPERS = {
    "01": paper(VILLAGE, resident=True),
    "02": paper(VILLAGE, {4: 0}),
    "03": paper(VILLAGE, {10: 3}),
    "04": paper(VILLAGE, resident=True).replace("\n", "\n\n"),
    "11": paper(PLANT, resident=True),
    "12": paper(PLANT, {0: 1}, resident=True),
    "13": paper(PLANT),
    "14": paper(PLANT).replace("\n", "\n\n"),
    "31": paper(OTHER),
    "32": paper(OTHER, {3: 2}),
}


def written(root: Path, papers: dict[str, str], *, unique: str = "") -> tuple[str, str]:
    """A source with these papers, and a recipe without dear filters; `unique` is put behind its judges of copies."""
    folder = root / "papers"
    folder.mkdir(parents=True)
    for name, said in papers.items():
        (folder / f"{name}.txt").write_text(said + "\n", encoding="utf-8")
    (folder / "LICENCE.txt").write_text("CC BY 4.0으로 이용할 수 있다.\n", encoding="utf-8")
    stages = {"clean": CLEAN, "unique": UNIQUE, "curated": CURATED}
    steps = {stage: "".join(f'[[{stage}]]\nfilter = "{name}"\n' for name in found) for stage, found in stages.items()}
    steps["unique"] += unique
    (root / "papers.py").write_text(SOURCE.format(folder=str(folder)), encoding="utf-8")
    head = 'name = "papers"\npurpose = "Promotion."\nshards = 2\n'
    (root / "papers.toml").write_text(head + "".join(steps.values()), encoding="utf-8")
    return str(root / "papers.py"), str(root / "papers.toml")


def run(source: str, recipe_name: str, workspace: Path, *, workers: int = 0):
    """The whole corridor, in this process where there are no workers."""
    home, recipe, quiet = Workspace.open(workspace), runs.recipe_of(recipe_name), Progress(quiet=True)
    worker_pool.configure(workers)
    try:
        collect(home, source, quiet)
        curated = curate(home, recipe, (source,), executors.thread_mapper(max(1, workers)), quiet)
        made = release(home, recipe, (source,), curated, executors.thread_mapper(1), quiet)
    finally:
        worker_pool.configure(None)
    return home, recipe, curated, made


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    root = tmp_path_factory.mktemp("promotion")
    source, recipe = written(root, PAPERS)
    return source, recipe, *run(source, recipe, root / "w")


WITHHELD = {f"[withheld {n}]": name for n, name in enumerate(("01", "04", "11", "12", "14"), 1)}


def numbers(ids, withheld=WITHHELD) -> set[str]:
    """The papers with these ids; who fell for a resident number, and its copies, are called by a number."""
    plain = (id.removeprefix("papers/").removesuffix(".txt") for id in ids)
    return {withheld.get(id, id) for id in plain}


def data(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("data/*/*/*.parquet"))])


def audit(folder: Path, name: str) -> list[dict]:
    return pq.read_table(folder / "audit" / f"{name}.parquet").to_pylist()


def test_the_next_copy_stands_where_the_keeper_is_dropped_later(done):
    *_, made = done
    assert numbers(data(made.folder)["id"].to_pylist()) == {"02", "03", "13", "31"}


def test_the_release_verifies(done):
    *_, made = done
    assert verify(made.folder, render=render_card) == []


def test_a_promoted_document_is_not_said_to_be_dropped_as_a_copy(done):
    *_, made = done
    said = {(*numbers([row["id"]]), row["stage"], row["reason"]) for row in audit(made.folder, "dropped")}
    assert said == {
        ("01", "5-curated", "resident-number"),
        ("04", "4-unique", "exact-copy"),
        ("11", "5-curated", "resident-number"),
        ("12", "5-curated", "resident-number"),
        ("14", "4-unique", "near-copy"),
        ("32", "4-unique", "near-copy"),
    }


def test_nobody_stands_for_others_who_fell_but_for_exact_copies_that_fell_along(done):
    *_, made = done
    rows = {numbers([r["member"]]).pop(): r for r in audit(made.folder, "clusters")}
    assert {member: (numbers([r["keeper"]]).pop(), r["kind"]) for member, r in rows.items()} == {
        "04": ("01", "exact"),
        "14": ("13", "exact"),
        "32": ("31", "near"),
    }
    assert rows["14"]["reason"].startswith("fallen:papers/[withheld 4] ")  # 12
    assert not rows["32"]["reason"].startswith("fallen:")


def test_the_counts_of_the_stages_are_those_of_the_lists(done):
    *_, curated, made = done
    stages = Counter({(r["stage"], r["outcome"], r["reason"]): r["n"] for r in audit(made.folder, "stages")})
    assert stages["4-unique", "in", ""] == len(PAPERS)
    assert stages["4-unique", "dropped", "near-copy"] == 2
    assert stages["5-curated", "dropped", "resident-number"] == 3
    entered, kept, dropped, _ = total(curated.ledgers("4-unique"))
    assert entered.total() == kept.total() + dropped.total() and min(dropped.values()) > 0


def test_the_status_of_a_workspace_counts_every_document_once(done):
    _, _, home, *_ = done
    entered, kept, dropped, failed = total(status.read_ledgers(home, "4-unique"))
    assert (entered.total(), kept.total(), dropped.total(), len(failed)) == (10, 7, 3, 0)


def test_the_funnel_shows_how_many_were_promoted_and_ends_where_the_stage_does(done):
    _, _, home, recipe, curated, _ = done
    steps = {s["filter"]: s for s in curation_report.funnel(recipe.stage("unique"), curated.ledgers("4-unique"))}
    near = steps["near_duplicates"]
    assert (near["dropped"], near["promoted"], near["out"]) == ([("near-copy", 2)], 4, 7)
    assert steps["exact_duplicates"]["promoted"] == 0
    assert "promoted" in curation_report.write(home, recipe, curated).read_text("utf-8")


def test_a_promoted_document_comes_as_it_came_and_says_for_whom(done):
    _, _, home, _, curated, _ = done
    came = {ledger.key: ledger for ledger in curated.ledgers("4-unique") if ledger.reverses}
    rows = {}
    for key in came:
        rows |= {r["id"]: r for r in pq.read_table(home.stage("4-unique", key) / "documents.parquet").to_pylist()}
    labels = {id: {one["name"]: one["value"] for one in row["labels"]} for id, row in rows.items()}
    assert {id: found["promoted_for"] for id, found in labels.items()} == {
        "papers/02.txt": "papers/01.txt",
        "papers/03.txt": "papers/01.txt",
        "papers/12.txt": "papers/11.txt",
        "papers/13.txt": "papers/12.txt",
    }
    assert all("keeper" not in found for found in labels.values())
    assert {note["outcome"] for row in rows.values() for note in row["trail"] if note["by"] in UNIQUE} == {"keep"}


def test_a_second_run_finds_everything_in_place(done):
    source, recipe, home, _, curated, made = done
    before = sorted(path for path in home.root.rglob("*") if "1-captures" not in path.parts)
    *_, again, second = run(source, recipe, home.root)
    assert (second.version, second.new) == (made.version, False)
    assert again == curated
    assert sorted(path for path in home.root.rglob("*") if "1-captures" not in path.parts) == before


def test_what_is_lost_of_a_promotion_is_made_again_as_it_was(done, tmp_path):
    source, recipe, home, *_, made = done
    expected = (made.folder / "SHA256SUMS").read_text("utf-8")
    rounds = sorted(home.root.glob("surveys/*/round.json"))
    groups = sorted(home.root.glob("surveys/*/stands.parquet"))
    promoted = sorted(path.parent for path in home.root.glob("4-unique/*/reversed.parquet"))
    assert len(rounds) == 2 and groups and promoted
    for number, lost in enumerate(([rounds[0].parent], [rounds[-1].parent, promoted[0]], [groups[0].parent], promoted)):
        copy = tmp_path / str(number)
        shutil.copytree(home.root, copy)
        shutil.rmtree(copy / "6-releases")
        for folder in lost:
            shutil.rmtree(copy / folder.relative_to(home.root))
        *_, second = run(source, recipe, copy)
        assert (second.folder / "SHA256SUMS").read_text("utf-8") == expected


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


def test_where_nobody_falls_nothing_is_looked_for(tmp_path, monkeypatch):
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("13", "14", "31", "32")})
    monkeypatch.setattr(promotion, "_round", None)
    home, *_, curated, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"13", "31"}
    assert not any(ledger.reverses for ledger in curated.ledgers("4-unique"))
    assert list(home.root.glob("surveys/*/replaces.json")) == []


def test_who_was_promoted_and_released_stands_in_the_next_version_as_well(tmp_path):
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("01", "02", "03", "11", "12", "13")})
    *_, first = run(source, recipe, tmp_path / "w")
    (tmp_path / "papers" / "31.txt").write_text(PAPERS["31"], encoding="utf-8")
    *_, second = run(source, recipe, tmp_path / "w")
    assert numbers(data(first.folder)["id"].to_pylist()) == {"02", "03", "13"}
    assert numbers(data(second.folder)["id"].to_pylist()) == {"02", "03", "13", "31"}
    assert verify(second.folder, render=render_card) == []


def test_filters_behind_the_judge_of_copies_look_at_the_promoted_too(tmp_path):
    papers = {name: PAPERS[name] for name in ("01", "02", "03")}
    longest = max(papers, key=lambda name: len(papers[name]))
    assert longest == "01"
    limit = sorted(len("".join(said.split())) for said in papers.values())[1]
    behind = f'[[unique]]\nfilter = "length"\nmin_chars = {limit}\n'
    source, recipe = written(tmp_path, papers, unique=behind)
    *_, made = run(source, recipe, tmp_path / "w")
    (kept,) = numbers(data(made.folder)["id"].to_pylist())
    short = ({"02", "03"} - {kept}).pop()
    said = {(*numbers([row["id"]]), row["stage"], row["reason"]) for row in audit(made.folder, "dropped")}
    assert said == {("01", "5-curated", "resident-number"), (short, "4-unique", "too-short")}
    assert verify(made.folder, render=render_card) == []


def test_after_the_last_round_what_is_left_stays_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(promotion, "ROUNDS", 1)
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("11", "12", "13", "31")})
    *_, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"31"}
    assert verify(made.folder, render=render_card) == []


def test_a_copy_that_is_alike_to_a_document_that_is_kept_anyway_is_not_promoted(tmp_path):
    """The second is alike to the first and to the third, which are not alike; the first falls."""
    papers = {"01": paper(VILLAGE, {4: 0}, resident=True), "02": paper(VILLAGE), "03": paper(VILLAGE, {10: 3})}
    source, recipe = written(tmp_path, papers)
    *_, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"03"}
    (row,) = audit(made.folder, "clusters")
    assert (row["member"], row["keeper"], row["reason"]) == (
        "papers/[withheld 2]",  # 02, which is like a page with a resident number
        "papers/03.txt",
        "fallen:papers/[withheld 1] kept",
    )
    assert verify(made.folder, render=render_card) == []
    *_, again, second = run(source, recipe, tmp_path / "w")
    assert not second.new and len(again.tables) == 1


def test_copies_of_two_who_fell_are_compared_with_each_other(tmp_path):
    papers = {
        "01": paper(VILLAGE, {4: 0}, resident=True),
        "02": paper(VILLAGE),
        "03": paper(VILLAGE, {10: 3}, resident=True),
        "04": paper(VILLAGE, {10: 3}),
        "31": PAPERS["31"],
    }
    source, recipe = written(tmp_path, papers)
    *_, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"02", "31"}
    (row,) = audit(made.folder, "clusters")
    assert (row["member"], row["keeper"]) == ("papers/[withheld 3]", "papers/02.txt")  # 04
    assert row["reason"].startswith("fallen:papers/[withheld 2] ")  # 03
    assert verify(made.folder, render=render_card) == []


def test_a_keeper_that_failed_gives_its_place_too(tmp_path, monkeypatch):
    judge = quarantine.judge

    def breaks(doc, **params):
        if doc.id == "papers/31.txt":
            raise RuntimeError("a fault of ours")
        return judge(doc, **params)

    monkeypatch.setattr(quarantine, "judge", breaks)
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("02", "31", "32")})
    *_, made = run(source, recipe, tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"02", "32"}
    assert [row["id"] for row in audit(made.folder, "failed")] == ["papers/31.txt"]
    assert verify(made.folder, render=render_card) == []


def test_who_speaks_up_against_use_is_heard_once_though_promoted(tmp_path):
    drops = [dropped("ga", number, "near_duplicates", "near-copy") for number in (1, 2)]
    shard.write(shard.to_dropped_table(drops), tmp_path / "dropped.parquet")
    shard.write(pa.table({"id": ["ga/2"]}), tmp_path / REVERSED)
    assert pq.read_table(write_dropped_signals(Refused(tmp_path, tmp_path / "all.parquet")))["id"].to_pylist() == [
        "ga/1",
        "ga/2",
    ]
    left = write_dropped_signals(Refused(tmp_path, tmp_path / "left.parquet", back=(tmp_path / REVERSED,)))
    assert pq.read_table(left)["id"].to_pylist() == ["ga/1"]


def test_a_release_in_which_a_published_document_is_said_to_be_dropped_does_not_verify(done, tmp_path):
    *_, made = done
    shutil.copytree(made.folder, tmp_path / "r")
    path = tmp_path / "r" / "audit" / "dropped.parquet"
    table = pq.read_table(path)
    row = {**table.to_pylist()[0], "id": "papers/02.txt", "stage": "4-unique", "reason": "near-copy"}
    pq.write_table(pa.concat_tables([table, pa.Table.from_pylist([row], table.schema)]), path)
    (law,) = (law for law in LAWS if "stands in data/" in law.says and law.path == "audit/dropped.parquet")
    with open_tables(tmp_path / "r") as tables:
        assert [found[0] for found in tables.ask(law.sql).rows] == ["papers/02.txt"]
    with open_tables(made.folder) as tables:
        assert tables.ask(law.sql).rows == ()


def test_a_survey_keyed_by_what_documents_share_says_the_same_of_a_late_shard(done, tmp_path):
    _, _, home, *_ = done
    schema = host_furniture.SURVEY.schema
    key = schema.names[0]
    row = dict.fromkeys(schema.names)
    shard.write(pa.Table.from_pylist([{**row, key: "a.kr"}], schema), tmp_path / "sketch.parquet")
    shard.write(pa.table({key: ["a.kr", "b.kr"], "lines": [["하나"], ["둘"]]}), tmp_path / "table.parquet")
    there = Surveyed(tmp_path / "none", tmp_path / "sketch.parquet")
    path, _ = late.late(late.LateJob(home.root, there, "host_furniture", tmp_path / "table.parquet"))
    assert pq.read_table(path).to_pylist() == [{key: "a.kr", "lines": ["하나"]}]


def test_a_survey_may_say_itself_what_it_knows_of_a_late_shard(done, tmp_path, monkeypatch):
    _, _, home, *_ = done

    def says(folder, there, target):
        shard.write(pa.table({"host": [folder.name, there.documents.name]}), target)

    monkeypatch.setattr(host_furniture, "SURVEY", replace(host_furniture.SURVEY, late=says))
    there = Surveyed(tmp_path / "documents.parquet", tmp_path / "none")
    path, _ = late.late(late.LateJob(home.root, there, "host_furniture", tmp_path / "survey" / "table.parquet"))
    assert pq.read_table(path)["host"].to_pylist() == ["survey", "documents.parquet"]


def test_pairs_across_two_tables_are_those_that_every_pair_of_signatures_gives():
    survey, ids = near_duplicates.SURVEY, list(PAPERS)
    docs = [Document(id, said, Provenance("papers", "", "", "", "")) for id, said in PAPERS.items()]
    sketches = pa.Table.from_pylist([survey.sketch(doc) for doc in docs], schema=survey.schema)
    signed = signatures(list(PAPERS.values()))
    shares = {(a, b): float((signed[i] == signed[j]).mean()) for i, a in enumerate(ids) for j, b in enumerate(ids)}
    expected = {pair: share for pair, share in shares.items() if pair[0] != pair[1] and share * 128 >= 103}
    found = survey.alike(sketches.slice(2), sketches, threshold=0.8).to_pylist()
    assert {(row["id"], row["other"]): row["similarity"] for row in found} == {
        pair: share for pair, share in expected.items() if pair[0] in ids[2:]
    }
    assert survey.alike(sketches.slice(0, 0), sketches, threshold=0.8).num_rows == 0
