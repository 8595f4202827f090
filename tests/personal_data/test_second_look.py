"""The second look at publication: counted in the audit, shown on the card, and a reason to publish nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import data_cards
from filters import personal_data
from flows.release import _kinds_to_replace
from malmoi import recipe as recipes
from malmoi.document import Document
from malmoi.errors import CallError, DataError
from malmoi.licensing.licences import LICENCES
from malmoi.recipe import Step
from malmoi.release_files import DOCUMENTS
from malmoi.releases import licence_files, residual_pii, residue
from malmoi.releases.publish import publish
from malmoi.releases.residue import outcomes
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from tests.builders.small_papers import PAPERS, run, written
from tests.builders.small_release import document, documents, inputs
from tests.personal_data.test_pii_proof import FOUND
from tests.releases.test_verify import checked, edited, remade

RESIDENT, CARD, PHONE = "990131-1234567", "0000-0000-0000-0001", "010-0000-1234"


def left(text: str, number: int = 1) -> Document:
    """A document in which a text was left as it is."""
    return replace(document("ga", number), text=text, morphemes=None)


def published(root: Path, docs: list[Document], **facts: object) -> Path:
    (root / "tmp").mkdir(parents=True)
    publish(replace(inputs(root / "in", docs), **facts), root / "release", tmp=root / "tmp")  # type: ignore[arg-type]
    data_cards.write(root / "release")
    seal(root / "release")
    return root / "release"


def found(release: Path) -> dict[tuple[str, str], int]:
    rows = pq.read_table(release / residual_pii.TABLE).to_pylist()
    return {(row["field"], row["kind"]): row["n"] for row in rows if row["outcome"] == "found"}


def test_lesser_finds_are_counted_on_the_card_and_the_release_verifies(tmp_path: Path) -> None:
    release = published(tmp_path, [left(f"문의 {PHONE}, 또는 hong@example.kr"), document("na", 3)])
    assert found(release) == {("text", "phone"): 1, ("text", "email"): 1}
    card = json.loads((release / "card.json").read_text("utf-8"))
    rows = {row[0]: row[1:] for row in card["tables"]["personal_data"]["rows"]}
    assert rows["phone"] == [1, 1, 1, 0, "reports"] and rows["rrn"] == [0, 0, 0, 0, "quarantines"]
    assert card["tables"]["residue"]["rows"] == [["data", "text", "email", 1], ["data", "text", "phone", 1]]
    assert card["numbers"]["residue_in_texts"]["value"] == 2
    assert checked(release) == []


def test_zero_is_said_as_zero_and_what_was_not_sought_is_said_too(tmp_path: Path) -> None:
    docs = documents()
    named = replace(docs[2].trail[1], reason="pii:name")
    release = published(tmp_path, [*docs[:2], replace(docs[2], trail=(named,)), *docs[3:]])
    card = json.loads((release / "card.json").read_text("utf-8"))
    rows = {row[0]: row[1:] for row in card["tables"]["personal_data"]["rows"]}
    assert {kind for kind, row in rows.items() if row[2:4] == [0, 0]} == set(residue.KINDS)
    assert rows["name"][2:] == [None, None, "not sought"]
    numbers = {key: fact["value"] for key, fact in card["numbers"].items()}
    files = [p for p in release.rglob("*.parquet") if p.name != "residue.parquet"]
    assert (numbers["residue_detector"], numbers["residue_files"]) == (residue.DETECTOR, len(files))
    assert numbers["residue_characters"] > numbers["characters"]
    page = (release / "README.md").read_text("utf-8")
    for words in (
        "`personal_data` 3",
        f"`{residue.DETECTOR}`",
        "| resident number `rrn` | document is left out | 0 | 0 | 0 | 0 |",
        "no rules for names",
    ):
        assert words in page


def test_every_column_of_strings_of_every_table_is_read(tmp_path: Path) -> None:
    release = published(tmp_path, documents())
    rows = pq.read_table(release / residual_pii.TABLE).to_pylist()
    read = {(row["path"], row["field"]): row["n"] for row in rows if row["outcome"] == "values"}
    for path in (p for p in release.rglob("*.parquet") if p.name != "residue.parquet"):
        name, table = path.relative_to(release).as_posix(), pq.read_table(path, partitioning=None)
        for field in table.schema:
            if pa.types.is_string(field.type):
                assert read.get((name, field.name), 0) == table.num_rows - table[field.name].null_count
        assert ("morphemes.form" in {f for p, f in read if p == name}) == name.startswith("morphemes/")


def test_a_recipe_that_keeps_a_kind_is_told_and_not_stopped(tmp_path: Path) -> None:
    kept = outcomes(set(residue.KINDS) - {"rrn"})
    release = published(tmp_path, [left(f"신청인 {RESIDENT}"), document("na", 3)], second_look=kept)
    assert found(release) == {("text", "rrn"): 1} and checked(release) == []
    assert "| resident number `rrn` | kept by the recipe | 0 | 0 | 1 | 0 |" in (release / "README.md").read_text(
        "utf-8"
    )


def test_a_card_that_would_show_personal_data_is_refused_before_it_stands(tmp_path: Path) -> None:
    told = {"purpose": f"Ask {PHONE}.", "second_look": outcomes(set(residue.KINDS) - {"email"})}
    release = published(tmp_path, documents(), **told)
    with pytest.raises(DataError, match=r"README\.md: phone × 1"):
        residual_pii.refuse_texts(release)
    pages = {"README.md", "README.ko.md", "index.html", "index.ko.html"}
    assert {f.path for f in checked(release)} == {*pages, "manifest.json", *DOCUMENTS}
    kept = published(tmp_path / "kept", documents(), **(told | {"purpose": "Ask hong@example.kr."}))
    residual_pii.refuse_texts(kept)


def test_the_texts_of_all_licences_are_clean(tmp_path: Path) -> None:
    for name, content in licence_files.files(LICENCES).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        assert not any(look.found for look in residue.look(tmp_path, name))


def test_kinds_are_those_that_the_detector_knows() -> None:
    assert {kind for _, kind in FOUND} == set(residue.KINDS) and set(residue.QUARANTINED) < set(residue.KINDS)
    assert set(residue.KINDS) < set(personal_data.DEFAULT_KINDS)


# Verifying ----------------------------------------------------------------------------------------------------


def planted(release: Path, value: str) -> None:
    """A value in the title of a document, with everything made anew by one who wants to hide it."""
    edited(next(release.glob("data/**/*.parquet")), lambda rows: [rows[0] | {"title": value}, *rows[1:]])
    remade(release)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("second") / "r", documents())


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "release"))


def test_what_may_not_stand_is_found_even_when_everything_else_is_made_anew(release: Path) -> None:
    planted(release, f"신청인 {RESIDENT}")
    (one,) = [f for f in checked(release) if f.check == "residue"]
    assert one.path.startswith("data/") and "rrn × 1 in title" in one.says and RESIDENT not in one.says


def test_what_only_reports_may_stand_where_the_table_counts_it(release: Path) -> None:
    planted(release, PHONE)
    assert [f for f in checked(release) if f.check == "residue"] == []


CHANGES = {
    "a find less": lambda rows: [r for r in rows if r["outcome"] != "found"],
    "a file not read": lambda rows: [r for r in rows if r["path"] != "audit/signals.parquet"],
    "a file too many": lambda rows: [*rows, rows[-1] | {"path": "audit/more.parquet"}],
    "fewer characters": lambda rows: [r | {"n": r["n"] - 1} if r["outcome"] == "characters" else r for r in rows],
    "a kind not sought": lambda rows: [r for r in rows if r["kind"] != "rrn" or r["path"]],
    "sought in fewer files": lambda rows: [r | {"n": 1} if not r["path"] else r for r in rows],
    "another detector": lambda rows: [r | {"detector": "residue 0"} for r in rows],
    "nothing at all": lambda rows: [],
}


@pytest.mark.one_case_in(8)
@pytest.mark.parametrize("change", CHANGES)
def test_an_edited_table_of_the_second_look_is_found(release: Path, change: str) -> None:
    planted(release, PHONE)
    edited(release / residual_pii.TABLE, CHANGES[change])
    assert any(f.check == "residue" for f in verify(release)), change


def test_a_file_that_cannot_be_read_hides_no_other(release: Path) -> None:
    planted(release, f"신청인 {RESIDENT}")
    (release / "audit" / "edits.parquet").write_bytes(b"PAR1 torn")
    broken = {f.path for f in verify(release) if f.check == "residue"}
    assert "audit/edits.parquet" in broken and any(path.startswith("data/") for path in broken)


# Recipes and runs ---------------------------------------------------------------------------------------------


def loaded(tmp_path: Path, head: str = "", curated: str = "") -> recipes.Recipe:
    steps = '[[clean]]\nfilter = "rights"\n' + "".join(
        f'[[curated]]\nfilter = "{name}"\n' for name in ("personal_data", "quarantine", "redact")
    ).replace('"personal_data"\n', f'"personal_data"\n{curated}')
    (tmp_path / "r.toml").write_text(f'name = "r"\npurpose = "P."\n{head}{steps}', encoding="utf-8")
    return recipes.load(tmp_path / "r.toml")


def test_a_recipe_says_what_it_replaces_and_whether_every_find_stops(tmp_path: Path) -> None:
    plain, strict = loaded(tmp_path), loaded(tmp_path, 'residue = "stop"\n')
    assert (plain.residue, strict.residue) == ("report", "stop") and plain.digest() != strict.digest()
    assert _kinds_to_replace(plain) >= set(residue.KINDS)
    assert _kinds_to_replace(loaded(tmp_path, curated='kinds = ["phone"]\n')) == {"phone"}
    with pytest.raises(CallError, match="residue"):
        loaded(tmp_path, 'residue = "ignore"\n')


def test_what_a_recipe_keeps_does_not_stop_and_what_it_writes_instead_does_not_count(tmp_path: Path) -> None:
    acts = (("phone", "keep"), ("email", "surrogate"), ("card", "placeholder"), ("birth_date", "generalise"))

    def told(step: Step) -> Step:
        said = {"redact": (("actions", acts),), "personal_data": (("keep_official", ("company-number",)),)}
        mine = dict(step.params) | dict(said.get(step.filter, ()))
        return replace(step, params=tuple(mine.items()))

    plain = loaded(tmp_path)
    steps = tuple((stage, tuple(map(told, found))) for stage, found in plain.steps)
    assert _kinds_to_replace(plain) - _kinds_to_replace(replace(plain, steps=steps)) == {"phone", "brn", "crn"}


@pytest.mark.heavy
def test_a_run_that_is_stopped_leaves_no_release_loses_nothing_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("02", "13")})

    def stopped(folder: Path, name: str, ending: str = "") -> list[residue.Look]:
        return [residue.Look(name, "text", 1, 1, (("card", 1),) if name.startswith("data/") else ())]

    with monkeypatch.context() as patch:
        patch.setattr(residue, "look", stopped)
        with pytest.raises(DataError, match="nothing was published, and nothing is lost"):
            run(source, recipe, tmp_path / "w")
    for empty in ("6-releases/*/*", "surveys/index/*/*/*", "tmp/*"):
        assert not list((tmp_path / "w").glob(empty)), empty
    done = sorted((tmp_path / "w" / "5-curated").glob("*/ledger.json"))
    *_, made = run(source, recipe, tmp_path / "w")
    assert made.new and sorted((tmp_path / "w" / "5-curated").glob("*/ledger.json")) == done
    *_, calm = run(source, recipe, tmp_path / "calm")
    assert calm.root == made.root
