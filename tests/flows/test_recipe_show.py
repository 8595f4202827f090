"""`malmoi recipe show` prints a recipe that gives the same release; `recipe diff` prints what differs."""

import os
import tomllib
from pathlib import Path

import pytest

from flows import recipe_text
from flows.cli.main import app, run_guarded
from flows.run import list_recipes, recipe_of
from malmoi import recipe as recipes
from malmoi.releases import manifest
from tests.builders.small_corpus import make

TOP = 'extends = "general"\nname = "own"\npurpose = "p"\n'
OWN = f"""{TOP}
[[clean]]
filter = "length"
min_chars = 20

[[judged]]
filter = "benchmark_overlap"
sets = ["exams", "more.txt"]
before = "personal_data"

[[curated]]
filter = "redact"
actions = {{ phone = "surrogate", email = "keep" }}
"""


def call(*arguments: str) -> int:
    return run_guarded(lambda: app(arguments, exit_on_error=False, print_error=False, result_action="return_value"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "exams").mkdir()
    for name in ("exams/a.txt", "more.txt"):
        (tmp_path / name).write_text("서울은 대한민국의 수도이며 한강이 그 가운데를 흐르는 오래된 도시이다. " * 3)
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    return tmp_path / "own.toml"


@pytest.mark.parametrize("name", [*list_recipes(), "own.toml"])
def test_a_shown_recipe_is_the_same_recipe(name, own, capsys):
    path = str(own) if name == "own.toml" else name
    assert call("recipe", "show", path) == 0
    shown = own.with_name("shown.toml")
    shown.write_text(capsys.readouterr().out, encoding="utf-8")
    first, again = recipe_of(path), recipes.load(shown)
    assert again == first and again.digest() == first.digest()
    raw = tomllib.loads(shown.read_text(encoding="utf-8"))
    assert "extends" not in raw and {"name", "purpose", "sources", "shards", "residue"} <= raw.keys()


def test_every_parameter_of_every_filter_can_be_shown_and_read_again():
    for name in recipes.list_filters():
        for key, field in recipes.schema(name).model_fields.items():
            if not field.is_required():
                value = field.get_default()
                given = {k: () for k, f in recipes.schema(name).model_fields.items() if f.is_required()}
                form = recipe_text.find_spelling(recipes.schema(name), key, value, given)
                read = tomllib.loads(f"x = {recipe_text.spell(form)}")["x"]
                assert getattr(recipes.schema(name).model_validate(given | {key: read}), key) == value, (name, key)


def test_a_default_is_marked_and_a_given_value_is_not(own, capsys):
    assert call("recipe", "show", str(own)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "min_chars = 20  # code points, at least 0" in lines
    assert "max_chars = 1000000  # default, code points, at least 0" in lines
    assert any(line.startswith("# judge, version 1. Keep a text of `min_chars` to `max_chars` code") for line in lines)
    assert 'actions = {"phone" = "surrogate", "email" = "keep"}' in lines
    assert 'sets = ["exams", "more.txt"]' in lines


def test_a_shown_recipe_gives_the_same_release(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make(tmp_path, pages=8)
    Path("near.toml").write_text(TOP + '[[clean]]\nfilter = "length"\nmin_chars = 20\n', encoding="utf-8")
    assert call("run", "near.toml", "--source", "small.py", "--workspace", "w", "--workers", "1") == 0
    capsys.readouterr()
    assert call("recipe", "show", "near.toml") == 0
    Path("shown.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert call("run", "shown.toml", "--source", "small.py", "--workspace", "w", "--workers", "1") == 0
    assert "nothing new; this release is current" in capsys.readouterr().out
    (folder,) = Path("w/6-releases/own").glob("1.*")
    assert manifest.read(folder).recipe_digest == recipe_of("shown.toml").digest()
    assert call("recipe", "diff", "shown.toml", str(folder)) == 0
    assert "no difference" in capsys.readouterr().out
    assert call("recipe", "diff", str(folder), "general") == 0
    told = capsys.readouterr().out
    assert 'name = "own" → "general"' in told and "[[clean]] length: min_chars = 20 → 90" in told
    assert told.count("\n") == 3


def test_the_difference_of_two_recipes_is_named_line_by_line(own, capsys):
    own.write_text('remove = ["spam"]\n' + OWN + '[[clean]]\nfilter = "language"\nafter = "length"\n', encoding="utf-8")
    assert call("recipe", "diff", "general", str(own)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'name = "general" → "own"' in lines
    assert "spam: only in general, [[clean]]" in lines
    assert f"benchmark_overlap: only in {own}, [[judged]]" in lines
    assert "[[clean]] length: min_chars = 90 → 20" in lines
    assert '[[curated]] redact: actions = [] → [["email", "keep"], ["phone", "surrogate"]]' in lines
    assert any("[[clean]] language, [[clean]] length" in line and line.startswith("order: ") for line in lines)
    assert lines[-1].startswith("digest: ")


def test_a_recipe_does_not_differ_from_itself(capsys):
    assert call("recipe", "diff", "general", "general") == 0
    assert capsys.readouterr().out.startswith("no difference: both have the digest ")


def test_a_recipe_that_is_not_there_is_a_wrong_call(tmp_path, capsys):
    assert call("recipe", "show", "generel") == 2
    assert "no recipe is called 'generel'" in capsys.readouterr().err
    assert call("recipe", "diff", "general", "none.toml") == 2
    assert "no such recipe" in capsys.readouterr().err
    os.mkfifo(tmp_path / "pipe.toml")
    assert call("recipe", "show", str(tmp_path / "pipe.toml")) == 2
    assert "is a pipe; name a readable file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "value", ['a "b" \\ c', "줄\n바꿈\t\x7f\x85\u202e", "", "말뭉치", [], {}, {"a b": [1, 2.5, False]}]
)
def test_a_value_is_read_as_it_was_spelled(value):
    assert tomllib.loads(f"x = {recipe_text.spell(value)}")["x"] == value
