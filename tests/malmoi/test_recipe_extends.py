"""A recipe that extends another is the other with what it names changed; what it cannot change it refuses by name."""

from pathlib import Path

import pytest

from flows.run import RECIPES, recipe_of, sources_of
from malmoi import recipe as recipes
from malmoi.errors import CallError

TOP = 'extends = "general"\nname = "t"\npurpose = "p"\n'
BASE = 'name = "base"\npurpose = "b"\nunredacted = "a test"\n[[clean]]\nfilter = "rights"\n'


def write(folder: Path, text: str, name: str = "t.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def steps_of(path: Path) -> dict[str, tuple[str, dict[str, object]]]:
    """Filter → stage and parameters, in the order in which they run."""
    return {s.filter: (stage, dict(s.params)) for stage, found in recipes.load(path).steps for s in found}


GENERAL = steps_of(RECIPES / "general.toml")


def test_a_recipe_that_changes_nothing_runs_what_its_base_runs(tmp_path):
    path = write(tmp_path, TOP)
    assert list(steps_of(path).items()) == list(GENERAL.items())
    assert [recipes.slice_digest(found) for _, found in recipes.load(path).steps] == [
        recipes.slice_digest(found) for _, found in recipe_of("general").steps
    ]


def test_a_parameter_replaces_that_of_the_base_and_the_others_stay(tmp_path):
    base = write(tmp_path, BASE + '[[clean]]\nfilter = "length"\nmin_chars = 7\nmax_chars = 70\n', "base.toml")
    own = TOP.replace("general", base.name) + '[[clean]]\nfilter = "length"\nmax_chars = 80\n'
    assert steps_of(write(tmp_path, own))["length"] == ("clean", {"min_chars": 7, "max_chars": 80})


def test_a_list_or_table_replaces_the_whole_of_the_base(tmp_path):
    redact = '[[curated]]\nfilter = "redact"\n[curated.actions]\n'
    base = write(tmp_path, f'{TOP}{redact}phone = "keep"\nemail = "keep"\n', "base.toml")
    own = write(tmp_path, f'{TOP.replace("general", base.name)}{redact}phone = "surrogate"\n')
    assert steps_of(own)["redact"][1]["actions"] == (("phone", "surrogate"),)


@pytest.mark.parametrize(
    ("table", "stage", "filter", "neighbours"),
    [
        ('[[clean]]\nfilter = "spam"\nbefore = "length"\n', "clean", "spam", ("language", "length")),
        ('[[clean]]\nfilter = "spam"\nafter = "rights"\n', "clean", "spam", ("rights", "mojibake")),
        ('[[clean]]\nfilter = "language"\nafter = "spam"\n', "clean", "language", ("spam", None)),
        ('[[judged]]\nfilter = "length"\nafter = "abuse"\n', "judged", "length", ("abuse", "register")),
    ],
)
def test_before_and_after_place_a_filter(tmp_path, table, stage, filter, neighbours):
    found = recipes.load(write(tmp_path, TOP + table)).stage(stage)
    names = [None, *(step.filter for step in found), None]
    at = names.index(filter)
    assert (names[at - 1], names[at + 1]) == neighbours
    assert sum(len(steps) for _, steps in recipes.load(tmp_path / "t.toml").steps) == len(GENERAL)


def test_a_new_filter_stands_where_it_is_placed(tmp_path):
    write(
        tmp_path / "exams",
        "서울은 대한민국의 수도이며 한강이 그 가운데를 흐른다. 그 강에는 다리가 서른 개 넘게 놓여 있다.\n",
        "a.txt",
    )
    table = '[[judged]]\nfilter = "benchmark_overlap"\nsets = ["exams"]\nbefore = "personal_data"\n'
    names = list(steps_of(write(tmp_path, TOP + table)))
    assert names.index("benchmark_overlap") == names.index("personal_data") - 1
    assert set(names) == {*GENERAL, "benchmark_overlap"}


def test_a_later_table_may_stand_beside_a_filter_that_an_earlier_one_moved(tmp_path):
    text = '[[clean]]\nfilter = "spam"\nafter = "rights"\n[[clean]]\nfilter = "length"\nafter = "spam"\n'
    assert list(steps_of(write(tmp_path, TOP + text)))[:3] == ["rights", "spam", "length"]


def test_a_stage_that_the_base_leaves_empty_takes_filters_without_a_place(tmp_path):
    base = write(tmp_path, BASE, "base.toml")
    own = TOP.replace("general", base.name) + '[[curated]]\nfilter = "length"\n'
    assert list(steps_of(write(tmp_path, own))) == ["rights", "length"]


def test_removed_filters_are_gone(tmp_path):
    path = write(tmp_path, 'remove = ["abuse", "spam"]\n' + TOP)
    assert list(steps_of(path)) == [name for name in GENERAL if name not in ("abuse", "spam")]


def test_the_top_of_the_file_replaces_that_of_the_base(tmp_path):
    base = write(tmp_path, 'sources = ["sample"]\nshards = 9\nresidue = "stop"\n' + BASE, "base.toml")
    found = recipes.load(write(tmp_path, "shards = 2\n" + TOP.replace("general", base.name)))
    assert (found.name, found.sources, found.shards, found.residue) == ("t", ("sample",), 2, "stop")
    assert found.purpose.startswith("p ") and found.purpose.endswith("a test")


def test_a_base_may_extend_another(tmp_path):
    write(tmp_path, TOP + '[[clean]]\nfilter = "length"\nmin_chars = 7\n', "middle.toml")
    own = TOP.replace("general", "middle.toml") + '[[clean]]\nfilter = "length"\nmax_chars = 70\n'
    assert steps_of(write(tmp_path, own))["length"][1] == {"min_chars": 7, "max_chars": 70}


def test_paths_of_a_base_in_another_folder_lead_to_the_same_files(tmp_path):
    write(
        tmp_path / "base/exams",
        "서울은 대한민국의 수도이며 한강이 그 가운데를 흐른다. 그 강에는 다리가 서른 개 넘게 놓여 있다.\n",
        "a.txt",
    )
    table = '[[clean]]\nfilter = "benchmark_overlap"\nsets = ["exams"]\n'
    base = write(tmp_path / "base", 'sources = ["own.py", "sample"]\n' + BASE + table, "base.toml")
    own = write(tmp_path / "mine/deep", TOP.replace("general", "../../base/base.toml"))
    assert steps_of(own) == steps_of(base)
    named = (
        "from malmoi.source import Folder, LicenceClaim, LicenceRule, Source\nfrom pathlib import Path\n"
        'SOURCE = Source(name="own", '
    )
    write(
        tmp_path / "base",
        f'{named}title="a", publisher="b", access=Folder(Path("p")), '
        'claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="L"),), rule=LicenceRule(("licence-file",)))\n',
        "own.py",
    )
    assert len(sources_of(recipes.load(own), str(own), ())) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TOP.replace("general", "generel"), r"t.toml: key 'extends': .*'generel'. Did you mean 'general'\?"),
        (TOP.replace("general", "none.toml"), r"none.toml: no such recipe"),
        (TOP.replace("general", "t.toml"), r"in a ring: t.toml → t.toml"),
        (TOP + '[[clean]]\nfilter = "lenght"\nmin_chars = 3\n', r"t.toml: filter 'lenght' under \[\[clean\]\] is not "
         r"in 'general'.* Did you mean 'length'\?"),
        (TOP + '[[clean]]\nfilter = "length"\nmin_char = 3\n', r"t.toml: filter 'length': unknown key 'min_char'. Did "
         r"you mean 'min_chars'\?"),
        (TOP + '[[clean]]\nfilter = "length"\nmin_chars = -3\n', r"t.toml: filter 'length': key 'min_chars'"),
        (TOP + "[[clean]]\nmin_chars = 3\n", r"t.toml: a \[\[clean\]\] table has no `filter"),
        (TOP + '[[curated]]\nfilter = "length"\n', r"'length' is under \[\[clean\]\] in 'general'"),
        (TOP + '[[clean]]\nfilter = "spam"\nbefore = "morphology"\n', r"no 'morphology' under \[\[clean\]\]"),
        (TOP + '[[clean]]\nfilter = "spam"\nafter = "spam"\n', r"no 'spam' under \[\[clean\]\] to go after"),
        (TOP + '[[clean]]\nfilter = "spam"\nafter = 3\n', r"no 3 under \[\[clean\]\]"),
        ('remove = ["spamm"]\n' + TOP, r"t.toml: `remove` names 'spamm', not in 'general'.*Did you mean 'spam'\?"),
        ('remove = ["rights"]\n' + TOP, r"t.toml: `rights` is not the first filter"),
        ('remove = ["redact"]\n' + TOP, r"t.toml: no `personal_data` and `redact`"),
        ('remove = ["morphology"]\n' + TOP, r"t.toml: filter 'quality' .* 'morphology' is not in the recipe"),
        (TOP.replace('name = "t"\n', ""), r"t.toml: key 'name': Field required"),
        (BASE + 'before = "x"\n', r"t.toml: key 'before' changes a base, and this recipe has none"),
    ],
)  # fmt: skip
def test_what_cannot_be_extended_is_refused_with_file_filter_and_key(tmp_path, text, says):
    with pytest.raises(CallError, match=says):
        recipes.load(write(tmp_path, text))


def test_a_fault_of_the_base_names_the_file_of_the_base(tmp_path):
    write(tmp_path, BASE + '[[clean]]\nfilter = "length"\nmin_chars = -1\n', "base.toml")
    with pytest.raises(CallError, match=r"^\S*base.toml: filter 'length'"):
        recipes.load(write(tmp_path, TOP.replace("general", "base.toml")))


def test_the_shipped_industry_recipes_are_the_general_one_with_a_field():
    for name in ("content", "manufacturing", "semiconductor"):
        found = steps_of(RECIPES / f"{name}.toml")
        assert list(found) == list(GENERAL)
        assert found.pop("domain") == ("judged", {"keep": (name,), "min_score": 0.4})
        assert found == {name: step for name, step in GENERAL.items() if name != "domain"}


def test_the_recipe_of_the_docs_loads(tmp_path):
    write(
        tmp_path / "exams",
        "서울은 대한민국의 수도이며 한강이 그 가운데를 흐른다. 그 강에는 다리가 서른 개 넘게 놓여 있다.\n",
        "a.txt",
    )
    page = (RECIPES.parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")
    found = steps_of(write(tmp_path, page.partition("```toml\n")[2].partition("```")[0]))
    assert found["length"][1]["min_chars"] == 200 and found["domain"][1]["keep"] == ("semiconductor",)
    assert "abuse" not in found and "benchmark_overlap" in found


def test_the_page_on_recipes_names_every_key_of_a_recipe():
    page = (RECIPES.parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")
    for key in recipes.RecipeFile.model_fields:
        assert f"`{key}`" in page or f"`[[{key}]]`" in page, key
