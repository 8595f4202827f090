"""A recipe is bound from signatures; what is wrong stops before the first document and says where."""

from pathlib import Path

import pytest

from flows.run import list_recipes, recipe_of
from malmoi import recipe as recipes
from malmoi.document import Document, Provenance
from malmoi.errors import CallError

HEAD = 'name = "t"\npurpose = "p"\nunredacted = "a test"\n[[clean]]\nfilter = "rights"\n'
REDACT = '[[curated]]\nfilter = "redact"\n[curated.actions]\n'
DOC = Document("s/1", "짧은 글", Provenance("s", "", "", "", ""))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "t.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[clean]]\nfilter = "length"\nmin_char = 3\n', r"'length': unknown key 'min_char'. Did you mean 'min_chars'"),
        ('[[clean]]\nfilter = "length"\nmin_chars = -3\n', r"'length': key 'min_chars'"),
        ('[[clean]]\nfilter = "lenght"\n', r"unknown filter 'lenght'. Did you mean 'length'"),
        ("[[clean]]\nmin_chars = 3\n", r"no `filter"),
        ('[[cleen]]\nfilter = "length"\n', r"unknown key 'cleen'. Did you mean 'clean'"),
        ("shards = \n", "not valid TOML"),
        (REDACT + 'phon = "surrogate"\n', r"'redact': key 'actions': 'phon' is not a kind. Did you mean 'phone'"),
        (REDACT + 'phone = "surogate"\n', r"'redact': key 'actions': 'surogate' for phone .* Did you mean 'surrogate'"),
        (REDACT + 'phone = "generalise"\n', r"'actions': phone cannot be generalised. Known: address, birth_date"),
        (REDACT + 'passport = "surrogate"\n', r"'actions': passport has no reserved values. Known: phone, email"),
        ('[[curated]]\nfilter = "redact"\nactions = ["phone"]\n', r"'actions': not a table of kinds and actions"),
        (
            '[[curated]]\nfilter = "personal_data"\nkeep_official = ["desks"]\n',
            r"'personal_data': key 'keep_official.0': Input should be 'desk-line', 'role-mailbox'",
        ),
    ],
)
def test_a_wrong_recipe_says_file_filter_and_key(tmp_path, text, says):
    with pytest.raises(CallError, match=says) as caught:
        recipes.load(written(tmp_path, HEAD + text))
    assert "t.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[clean]]\nfilter = "rights"\n', "personal data would be published"),
        ('[[clean]]\nfilter = "rights"\n[[curated]]\nfilter = "redact"\n', "personal data would be published"),
        (
            '[[clean]]\nfilter = "rights"\n[[curated]]\nfilter = "redact"\n[[curated]]\nfilter = "personal_data"\n',
            "comes before `personal_data`",
        ),
        (
            '[[clean]]\nfilter = "rights"\n[[curated]]\nfilter = "personal_data"\n[[curated]]\nfilter = "redact"\n',
            "no `quarantine`: documents with resident numbers, or with personal data in their ids, would be published",
        ),
        (
            '[[clean]]\nfilter = "rights"\n[[curated]]\nfilter = "personal_data"\n[[curated]]\nfilter = "redact"\n'
            '[[curated]]\nfilter = "quarantine"\n',
            "`quarantine` comes after `redact`",
        ),
    ],
)
def test_personal_data_is_replaced_or_the_recipe_says_why_not(tmp_path, text, says):
    with pytest.raises(CallError, match=says):
        recipes.load(written(tmp_path, f'name = "t"\npurpose = "p"\n{text}'))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[clean]]\nfilter = "length"\n[[clean]]\nfilter = "length"\n', "'length' appears twice"),
        ('[[clean]]\nfilter = "near_duplicates"\n', r"belong under \[\[curated"),
        ('[[clean]]\nfilter = "../x"\n', "unknown filter"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(tmp_path, text, says):
    with pytest.raises(CallError, match=says):
        recipes.load(written(tmp_path, HEAD + text))


def test_a_recipe_without_rights_is_refused(tmp_path):
    with pytest.raises(CallError, match="not the first filter under"):
        recipes.load(written(tmp_path, 'name = "t"\npurpose = "p"\n[[clean]]\nfilter = "length"\n'))


def test_a_missing_recipe_names_those_there_are():
    with pytest.raises(CallError, match="general"):
        recipe_of("generel")


def test_parameters_reach_the_filter(tmp_path):
    recipe = recipes.load(written(tmp_path, HEAD + '[[clean]]\nfilter = "length"\nmin_chars = 3\n'))
    (_, bound) = recipes.bind(recipe.stage("clean"))
    assert bound.call(DOC).outcome == "keep"


def test_a_changed_parameter_changes_the_digest_of_its_stage_only(tmp_path):
    one = recipes.load(written(tmp_path, HEAD + '[[curated]]\nfilter = "length"\nmin_chars = 3\n'))
    two = recipes.load(written(tmp_path, HEAD + '[[curated]]\nfilter = "length"\nmin_chars = 4\n'))
    assert recipes.slice_digest(one.stage("clean")) == recipes.slice_digest(two.stage("clean"))
    assert recipes.slice_digest(one.stage("curated")) != recipes.slice_digest(two.stage("curated"))
    assert one.digest() != two.digest()


def test_a_new_version_of_a_library_changes_the_digest_of_the_steps_that_use_it(tmp_path, monkeypatch):
    path = written(tmp_path, HEAD + '[[curated]]\nfilter = "near_duplicates"\n')
    before = recipes.load(path)
    monkeypatch.setattr(recipes, "_library_version", lambda package: "99")
    after = recipes.load(path)
    assert recipes.slice_digest(before.stage("clean")) == recipes.slice_digest(after.stage("clean"))
    assert recipes.slice_digest(before.stage("curated")) != recipes.slice_digest(after.stage("curated"))


def test_every_filter_has_one_verb_a_version_and_bounds_on_its_parameters():
    assert len(recipes.list_filters()) >= 12
    for name in recipes.list_filters():
        assert recipes.verb_of(name) in ("judge", "mark", "mend")
        assert isinstance(recipes.load_filter(name).VERSION, int)
        recipes.schema(name)


def test_shipped_recipes_load():
    for path in Path(recipe_of.__code__.co_filename).parent.joinpath("recipes").glob("*.toml"):
        assert recipes.load(path).stage("clean")[0].filter == "rights"


def test_near_copies_have_a_threshold_and_exact_ones_none(tmp_path):
    text = '[[judged]]\nfilter = "exact_duplicates"\n[[curated]]\nfilter = "near_duplicates"\nthreshold = 0.95\n'
    recipe = recipes.load(written(tmp_path, HEAD + text))
    assert [params for _, params in recipes.surveys(recipe.stage("judged"))] == [{}]
    assert [params for _, params in recipes.surveys(recipe.stage("curated"))] == [
        {"earlier": "same", "threshold": 0.95}
    ]
    with pytest.raises(CallError, match="unknown key 'threshold'"):
        recipes.load(
            written(tmp_path, HEAD + text.replace('"exact_duplicates"', '"exact_duplicates"\nthreshold = 0.9'))
        )


@pytest.mark.parametrize("copies", ["exact_duplicates", "near_duplicates"])
def test_a_recipe_in_the_order_of_earlier_versions_is_refused_and_told_the_new_one(tmp_path, copies):
    with pytest.raises(CallError, match=r"\[\[unique\]\] no longer exists. Under \[\[judged\]\], put `exact_dupl"):
        recipes.load(written(tmp_path, HEAD + f'[[unique]]\nfilter = "{copies}"\n'))


@pytest.mark.parametrize("late", ["length", "spam", "language"])
def test_a_filter_that_could_drop_the_keeper_of_near_copies_is_refused(tmp_path, late):
    near, judge = '[[curated]]\nfilter = "near_duplicates"\n', f'[[curated]]\nfilter = "{late}"\n'
    with pytest.raises(CallError, match=rf"{late!r} under \[\[curated\]\] comes after `near_dup.* to \[\[judged\]\]"):
        recipes.load(written(tmp_path, HEAD + near + judge))
    assert recipes.load(written(tmp_path, HEAD + judge.replace("curated", "judged") + near))


def test_near_copies_are_compared_before_redaction_or_the_recipe_is_refused(tmp_path):
    steps = ("personal_data", "quarantine", "redact", "near_duplicates")
    text = "".join(f'[[curated]]\nfilter = "{name}"\n' for name in steps)
    with pytest.raises(CallError, match="`redact` comes before `near_duplicates`"):
        recipes.load(written(tmp_path, HEAD + text))


def test_shipped_recipes_judge_before_they_look_for_near_copies_and_redact_last():
    for name in list_recipes():
        recipe = recipe_of(name)
        assert recipe.stage("judged")[0].filter == "exact_duplicates"
        assert [step.filter for step in recipe.stage("curated")] == ["near_duplicates", "redact"]


NEEDY = [name for name in recipes.list_filters() if getattr(recipes.load_filter(name), "NEEDS", ())]


@pytest.mark.parametrize("name", NEEDY)
def test_a_filter_before_the_one_that_it_needs_is_refused(tmp_path, name):
    (need,) = recipes.load_filter(name).NEEDS
    step, needed = f'[[curated]]\nfilter = "{name}"\n', f'[[curated]]\nfilter = "{need}"\n'
    with pytest.raises(CallError, match=f"'{name}' under .*'{need}' is not in the recipe. Put '{need}' before"):
        recipes.load(written(tmp_path, HEAD + step))
    with pytest.raises(CallError, match=f"'{name}' under .*'{need}' comes after it"):
        recipes.load(written(tmp_path, HEAD + step + needed))
    assert recipes.load(written(tmp_path, HEAD + needed + step)).stage("curated")[1].filter == name


def test_what_a_filter_needs_may_stand_in_an_earlier_stage(tmp_path):
    text = '[[clean]]\nfilter = "morphology"\n[[curated]]\nfilter = "quality"\n'
    assert recipes.load(written(tmp_path, HEAD + text)).stage("curated")[0].filter == "quality"


def test_filters_that_read_morphemes_say_so():
    assert {"quality", "machine_text", "register", "domain"} <= set(NEEDY)


@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
@pytest.mark.parametrize(("name", "key"), [("machine_text", "max_score"), ("quality", "min_quality")])
def test_an_endless_limit_that_would_turn_a_filter_off_is_refused(tmp_path, name, key, value):
    text = f'[[clean]]\nfilter = "morphology"\n[[clean]]\nfilter = "{name}"\n{key} = {value}\n'
    with pytest.raises(CallError, match=f"{name!r}: key {key!r}"):
        recipes.load(written(tmp_path, HEAD + text))


def test_one_name_where_a_list_is_wanted_is_shown_as_a_list(tmp_path):
    text = '[[clean]]\nfilter = "morphology"\n[[clean]]\nfilter = "domain"\nkeep = "semiconductor"\n'
    with pytest.raises(CallError, match=r'A list: keep = \["semiconductor"\]'):
        recipes.load(written(tmp_path, HEAD + text))
