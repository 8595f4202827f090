"""(f) Expectations: docs/recipes.md#expectations-expect."""

import json

import pytest
import world as w
from conftest import run


def recipe(folder, expect: str):
    (folder / "my.toml").write_text(
        f'extends = "general"\nname = "general"\npurpose = "Fictional texts."\n\n[expect]\n{expect}\n', "utf-8"
    )
    return folder / "my.toml"


@pytest.mark.parametrize(
    ("expect", "status"),
    [
        ("min_documents = 43", 0),
        ("min_documents = 44", 1),
        ("min_characters = 10000", 0),
        ("min_characters = 10000000", 1),
        ('unique = ["id", "text_sha256"]', 0),
        ('languages = ["ko", "mixed"]', 0),
        ('languages = ["en"]', 1),
        ('licences = ["CC-BY-4.0", "CC-BY-SA-4.0"]', 0),
        ('licences = ["CC-BY-4.0"]', 1),
        ("licences = []", 0),
        ("min_length = 700", 0),
        ("min_length = 800", 1),
        ("max_length = 100", 1),
        ("max_length = 100000", 0),
        ("source_share = { village = [0.9, 1.0] }", 0),
        ("source_share = { village = [0.0, 0.5] }", 1),
        ("source_share = { nobody = [0.1, 1.0] }", 1),
        ("licence_share = { CC-BY-SA-4.0 = [0.05, 0.3] }", None),
        ('licence_share = { "CC-BY-SA-4.0" = [0.05, 0.3] }', 0),
        ('licence_share = { "CC-BY-SA-4.0" = [0.3, 1.0] }', 1),
        ('licence_share = { "CC0-1.0" = [0.0, 0.0] }', 0),
        ("domain_share = { life = [0.5, 1.0] }", 0),
        ("domain_share = { life = [0.0, 0.1] }", 1),
        ("low_hangul_share = [0.0, 0.01]", 0),
        ("low_hangul_share = [0.5, 1.0]", 1),
        ("max_duplicate_share = 0.5", 0),
        ("max_duplicate_share = 0.0", 1),
        ("schema_version = 1", 1),
        ("schema_version = 0", 0),
        ("max_wrong_grants = 0.0", 0),
        ("", 0),
    ],
)
def test_an_expectation_holds_or_not(release, tmp_path, expect, status):
    done = w.malmoi("check", release, "--recipe", recipe(tmp_path, expect), status=None)
    assert done.returncode == (status if status is not None else done.returncode), done.out
    if status == 1:
        assert expect.split(" ")[0] in done.out


@pytest.mark.parametrize(
    "expect",
    [
        "min_document = 3",
        "min_documents = -1",
        'min_documents = "many"',
        "source_share = { village = [0.9, 0.1] }",
        "source_share = { village = [0, 2] }",
        "max_duplicate_share = 7",
        'unique = ["colour"]',
        "low_hangul_share = 0.5",
        "min_length = 10\nmax_length = 5",
        'review = "none.csv"\nmax_wrong_grants = 0.1',
    ],
)
def test_an_expectation_that_makes_no_sense_is_refused(release, tmp_path, expect):
    done = w.malmoi("check", release, "--recipe", recipe(tmp_path, expect), status=None)
    assert done.returncode == 2 and expect.split(" ")[0].strip() in done.out


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [(["right"] * 10, 0), (["wrong"] * 3 + ["right"] * 7, 1), (["unsure"] * 10, None), (["maybe"] * 10, 2)],
)
def test_judged_licences_decide(release, tmp_path, verdicts, status):
    rows = w.rows(release)[: len(verdicts)]
    (tmp_path / "review.csv").write_text(
        "id,verdict\n" + "".join(f"{r['id']},{v}\n" for r, v in zip(rows, verdicts, strict=True)), "utf-8"
    )
    done = w.malmoi(
        "check",
        release,
        "--recipe",
        recipe(tmp_path, "max_wrong_grants = 0.1"),
        "--review",
        tmp_path / "review.csv",
        status=None,
    )
    assert done.returncode == (status if status is not None else done.returncode), done.out


def test_the_sample_of_an_auditor_can_be_drawn_by_hand_and_judged(base, release, tmp_path):
    import hashlib

    w.malmoi(
        "audit",
        "sample",
        release,
        "--seed",
        "달빛",
        "--n",
        "8",
        "--workspace",
        "ws",
        "--out",
        tmp_path / "evidence",
        cwd=base,
    )
    drawn = {
        line.split(",")[0].strip('"') for line in (tmp_path / "evidence/review.csv").read_text("utf-8").splitlines()[1:]
    }
    expected = sorted(w.ids(release), key=lambda i: hashlib.sha256(f"달빛\n{i}".encode()).digest())[:8]
    assert drawn == set(expected)
    text = (tmp_path / "evidence/evidence.md").read_text("utf-8")
    assert "verbatim" in text and "NOT FOUND" not in text


def test_a_release_below_its_expectations_is_kept_aside_and_published_when_they_fit(base, server, tmp_path):
    home = w.copy(base, tmp_path / "home")
    file = home / "strict.toml"
    text = 'extends = "general"\nname = "strict"\npurpose = "Fictional texts."\n\n[expect]\nmin_documents = {}\n'
    file.write_text(text.format(1000), "utf-8")
    done = run(home, recipe="strict.toml", status=1)
    assert "min_documents" in done.out and not (home / "ws/6-releases/strict/1.0.0").exists()
    (aside,) = (home / "ws/rejected/strict").iterdir()
    assert "min_documents" in json.dumps(json.loads((aside / "check.json").read_text("utf-8")))
    w.malmoi("verify", aside / "release")
    file.write_text(text.format(10), "utf-8")
    run(home, recipe="strict.toml")
    assert w.latest(home / "ws", "strict").name == "1.0.0"
    w.malmoi("verify", home / "ws/6-releases/strict/1.0.0")


def test_a_rejected_release_loses_an_erased_value_too(base, server, tmp_path):
    home = w.copy(base, tmp_path / "home")
    (home / "strict.toml").write_text(
        'extends = "general"\nname = "strict"\npurpose = "Fictional texts."\n\n[expect]\nmin_documents = 1000\n',
        "utf-8",
    )
    run(home, recipe="strict.toml", status=1)
    assert w.places(home / "ws/rejected", w.CANARY["body"])
    w.malmoi(
        "erase", "general", "--value", "--reason", "r", "--workspace", "ws", cwd=home, stdin=w.CANARY["body"] + "\n"
    )
    assert w.places(home / "ws", w.CANARY["body"]) == []


def test_the_default_recipe_is_the_one_that_made_the_release(release):
    w.malmoi("check", release)
