"""Expectations: each is measured, an unmet one keeps a release aside, and a wrong table is refused with its key."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from flows.release import require_expectations
from flows.run import RECIPES
from malmoi import recipe as recipes
from malmoi.errors import CallError, DataError
from malmoi.recipe import Expectations
from malmoi.releases.expectation_checks import measure
from malmoi.releases.release_schema import SCHEMA_VERSION
from malmoi.releases.verification.verify import verify
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_release import sealed


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 documents: 14 under KOGL type 1, 7 under BY-SA, 3 for training only; 4 copies were dropped."""
    return sealed(tmp_path_factory.mktemp("whole"))


CASES: list[tuple[dict[str, Any], str]] = [
    ({"schema_version": 4}, f"schema_version is {SCHEMA_VERSION}, expected 4"),
    ({"min_documents": 25}, "min_documents is 24, expected at least 25"),
    ({"min_characters": 10_000}, "expected at least 10,000"),
    ({"unique": ["text_sha256"]}, ""),
    ({"languages": ["en"]}, "languages is ko (24), expected only en"),
    ({"licences": ["LicenseRef-KOGL-1"]}, "licences is CC-BY-SA-4.0 (7), LicenseRef-KOGL-4-AI (3)"),
    ({"min_length": 100}, "expected at least 100"),
    ({"max_length": 50}, "expected at most 50"),
    ({"licence_share": {"LicenseRef-KOGL-1": [0.9, 1]}}, "licence_share.LicenseRef-KOGL-1 is 0."),
    ({"licence_share": {"MIT": [0.1, 1]}}, "licence_share.MIT is 0.0000 (0 of"),
    ({"source_share": {"ga": [0, 0.2]}}, "source_share.ga is 0."),
    ({"domain_share": {"semiconductor": [0.9, 1]}}, "domain_share.semiconductor is 0."),
    ({"max_duplicate_share": 0.1}, "max_duplicate_share is 0.1429 (4 of 28), expected 0 to 0.1"),
    ({"max_quarantined": 0}, ""),
]


@each_row(("table", "says"), CASES, ids=[" ".join(table) for table, _ in CASES])
def test_an_expectation_that_is_not_met_says_what_was_measured(release: Path, table: dict[str, Any], says: str) -> None:
    (outcome,) = measure(release, Expectations.model_validate({"max_quarantined": 1} | table))
    assert (outcome.met, says in outcome.says()) == (not says, True), outcome.says()


def test_expectations_that_hold_are_met_and_by_default_only_quarantined_documents_are_limited(release: Path) -> None:
    (outcome,) = measure(release, Expectations())
    assert outcome.met and outcome.says() == "max_quarantined is 0.0000 (0 of 24), expected 0 to 0.001"
    table = {
        "schema_version": SCHEMA_VERSION, "min_documents": 24, "min_characters": 100, "unique": ["id"],
        "languages": ["ko", "en"],
        "min_length": 10, "max_length": 9999, "licence_share": {"LicenseRef-KOGL-1": [0.3, 0.9]},
        "source_share": {"ga": [0.5, 1]}, "domain_share": {"semiconductor": [0.1, 0.5]}, "low_hangul_share": [0, 0.1],
        "max_duplicate_share": 0.2, "max_quarantined": 0.01,
    }  # fmt: skip
    outcomes = measure(release, Expectations.model_validate(table))
    assert len(outcomes) == len(table) and all(one.met for one in outcomes), outcomes


def test_the_share_of_texts_with_little_hangul_is_of_characters(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malmoi.releases.expectation_checks.LOW_HANGUL", 0.8)
    outcome, _ = measure(release, Expectations(low_hangul_share=(0.0, 0.1)))
    assert not outcome.met and "low_hangul_share is 0." in outcome.says()


@pytest.mark.parametrize(
    ("judged", "says"),
    [
        (
            "ga/1,right\nga/2,right\nga/4,wrong\nga/5,unsure\nga/7,\nelsewhere/1,wrong\n",
            "0.5000 (2 of 4, 95 % interval 0.1500 to 0.8500)",
        ),
        ("elsewhere/1,wrong\n", ""),
    ],
)
def test_the_rate_of_wrong_grants_is_that_of_the_judged_documents(
    release: Path, tmp_path: Path, judged: str, says: str
) -> None:
    (tmp_path / "judged.csv").write_text(f"id,verdict\n{judged}", encoding="utf-8")
    outcomes = measure(release, Expectations(max_wrong_grants=0.1, max_quarantined=1), tmp_path / "judged.csv")
    assert [one.measured for one in outcomes] == ([says] if says else [])
    assert not any(one.met for one in outcomes)
    assert measure(release, Expectations(max_wrong_grants=0.1, max_quarantined=1), tmp_path / "none.csv") == []


@pytest.mark.parametrize(
    ("left", "came", "most", "met"),
    [
        (0, 3, 0, True),
        (1, 3, 0.001, True),  # one alone is above 0.1 % of any small release
        (1, 3, 0, False),
        (2, 3, 0.001, False),
        (2, 2_000, 0.001, True),
        (3, 2_000, 0.001, False),
        (3, 2_000, 0.01, True),
    ],
)
def test_a_share_of_quarantined_documents_above_the_limit_is_the_failure(
    left: int, came: int, most: float, met: bool, monkeypatch: pytest.MonkeyPatch, release: Path
) -> None:
    def count(_: object, what: str, source: str = "data") -> int:
        return {"stages": came, "dropped": left}.get(source.split()[0], 1)

    monkeypatch.setattr("malmoi.releases.expectation_checks._count", count)
    (outcome,) = measure(release, Expectations(max_quarantined=most))
    assert outcome.met == met and f"({left:,} of {came:,})" in outcome.measured
    assert ("malmoi review finds" in outcome.expected) == (not met)


def write(folder: Path, name: str, expect: str, base: str = "general") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(f'extends = "{base}"\nname = "{name}"\npurpose = "a"\n[expect]\n{expect}\n', encoding="utf-8")
    return path


WRONG = [
    ("min_documnets = 1", r"unknown key 'min_documnets'. Did you mean 'min_documents'\?"),
    ("min_documents = -1", "key 'min_documents'"),
    ('unique = "id"', r"key 'unique': not a list"),
    ('unique = ["url"]', "key 'unique.0'"),
    ('licences = ["CC-BY-9.9"]', "key 'licences.0': not a licence of the table"),
    ("max_duplicate_share = 1.5", "key 'max_duplicate_share'"),
    ("low_hangul_share = [0.5, 0.1]", r"key 'low_hangul_share': a range is \[least, most\], and the first is greater"),
    ("low_hangul_share = 0.5", "key 'low_hangul_share': not a list"),
    ('source_share = { "a" = [0] }', "key 'source_share.a.1'"),
    ("source_share = 3", "key 'source_share'"),
]


@pytest.mark.parametrize(("expect", "says"), WRONG, ids=[expect for expect, _ in WRONG])
def test_a_wrong_table_is_refused_with_recipe_and_key(tmp_path: Path, expect: str, says: str) -> None:
    with pytest.raises(CallError, match=rf"own.toml: \[expect\]: .*{says}"):
        recipes.load(write(tmp_path, "own", expect))


def test_a_recipe_that_extends_another_changes_its_expectations_by_key(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    base = write(tmp_path / "sub", "base", 'min_documents = 3\nreview = "judged.csv"\nsource_share = { a = [0, 0.5] }')
    own = write(tmp_path, "own", "min_length = 9\nsource_share = { b = [0, 1] }", "sub/base.toml")
    found = recipes.load(own)
    assert found.expect.unique == recipes.load(RECIPES / "general.toml").expect.unique
    assert (found.expect.min_documents, found.expect.min_length) == (3, 9)
    assert found.expect.source_share == {"a": (0, 0.5), "b": (0, 1)}
    assert found.review is not None and found.review.resolve() == base.with_name("judged.csv")


def test_expectations_change_neither_digest_nor_keys(tmp_path: Path) -> None:
    one, two = (recipes.load(write(tmp_path, "own", f"min_documents = {n}")) for n in (1, 2))
    assert one.digest() == two.digest()


def test_a_release_that_does_not_meet_them_is_kept_aside_whole(release: Path, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w")
    recipe = recipes.load(write(tmp_path, "own", 'languages = ["en"]\nmin_documents = 3'))
    for _ in range(2):  # the second time it takes the place of the first
        folder = Path(shutil.copytree(release, workspace.tmp / "made"))
        with pytest.raises(DataError, match=r"own 1.0.0 was not published: 1 of 7 expectations is not met \(languages"):
            require_expectations(workspace, recipe, folder, "1.0.0")
        assert not folder.exists()
    (kept,) = workspace.rejections("own").iterdir()
    assert verify(kept / "release") == []
    check = json.loads((kept / "check.json").read_text(encoding="utf-8"))
    assert (check["met"], check["version"], check["root"][:16]) == (False, "1.0.0", kept.name.partition("-")[2])
    unmet = [one for one in check["expectations"] if not one["met"]]
    assert unmet == [{"expectation": "languages", "expected": "only en", "measured": "ko (24)", "met": False}]


def test_a_release_that_meets_them_stays_where_it_is(release: Path, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w")
    recipe = recipes.load(write(tmp_path, "own", "min_documents = 3\nmax_duplicate_share = 1.0"))
    require_expectations(workspace, recipe, release, "1.0.0")
    assert release.is_dir() and not workspace.rejections("own").exists()
