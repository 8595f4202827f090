"""Cases of tests/advice/test_advice.py: recipes, sources and options of a call."""

import json

from tests.advice.advice import GENERAL, Place, advice, own


@advice("no recipe is called {}: choose one of {}, or name a file that ends in .toml.")
def recipe_misspelt(place):
    yield "run gnral --source sample --dry-run"
    yield "run general --source sample --dry-run"


@advice("no recipe is called {}: choose one of {}, or name a file that ends in .toml.")
def recipe_outside(place):
    yield "run ../recipes/general --source sample --dry-run"
    place.write("own.toml", GENERAL)
    yield "run own.toml --source sample --dry-run"


@advice("{}: no such recipe; correct the path, or name a shipped one without .toml.")
def recipe_missing(place):
    yield "run own.toml --dry-run"
    yield "run general --source sample --dry-run"


@advice("{}: not valid TOML: {}. Correct the file.")
def recipe_not_toml(place):
    place.write("own.toml", GENERAL + "\n[[clean\n")
    yield "run own.toml --source sample --dry-run"
    place.write("own.toml", GENERAL)
    yield "run own.toml --source sample --dry-run"


@advice("recipe {} names no source; name sources in the call (--source), or `sources = [...]` in a recipe of your own. "
        "`malmoi sources` lists the catalogue.")  # fmt: skip
def recipe_without_sources(place):
    yield "run general --dry-run"
    yield "sources"
    yield "run general --source sample --dry-run"
    place.write("own.toml", 'sources = ["sample"]\n' + GENERAL)
    yield "run own.toml --dry-run"


@advice('{}: a [[{}]] table has no `filter = "name"`.')
def table_without_filter(place):
    place.write("own.toml", GENERAL + "\n[[curated]]\nmin_chars = 1\n")
    yield "run own.toml --source sample --dry-run"
    place.write("own.toml", GENERAL)
    yield "run own.toml --source sample --dry-run"


@advice("{}: [[{}]] names the unknown filter {}.{} Known: {}.")
def filter_unknown(place):
    place.write("own.toml", GENERAL.replace('filter = "language"', 'filter = "langage"'))
    yield "run own.toml --source sample --dry-run"
    place.edit("own.toml", "langage", "language")  # Did you mean 'language'?
    yield "run own.toml --source sample --dry-run"


@advice("unknown key {}. Did you mean {}? Known keys: {}.")
def key_unknown(place):
    place.write("own.toml", GENERAL.replace("shards = 4", "shard = 4"))
    yield "run own.toml --source sample --dry-run"
    place.edit("own.toml", "shard = 4", "shards = 4")
    yield "run own.toml --source sample --dry-run"


@advice("{}: the list [[unique]] no longer exists. Under [[judged]], put `exact_duplicates` first and then what was "
        "under [[curated]], without `redact`; under [[curated]], put `near_duplicates` and then `redact`.")  # fmt: skip
def key_unique(place):
    place.write("own.toml", GENERAL + '\n[[unique]]\nfilter = "near_duplicates"\n')
    yield "run own.toml --source sample --dry-run"
    place.write("own.toml", GENERAL)
    yield "run own.toml --source sample --dry-run"


@advice("key {}: not a list (given: {}). A list: {} = [{}].")
def key_not_a_list(place):
    place.write("own.toml", 'sources = "sample"\n' + GENERAL)
    yield "run own.toml --dry-run"
    place.edit("own.toml", 'sources = "sample"', 'sources = ["sample"]')
    yield "run own.toml --dry-run"


EXTENDS = 'extends = "general"\nname = "own"\npurpose = "p"\n'


def extending(place: Place, text: str) -> str:
    place.write("own.toml", EXTENDS + text)
    return "run own.toml --source sample --dry-run"


@advice("key 'extends': no shipped recipe is called {}.{} Choose one of {}, or name a file that ends in .toml.")
def base_unknown(place):
    call = extending(place, "")
    place.edit("own.toml", '"general"', '"generel"')
    yield call
    place.edit("own.toml", '"generel"', '"general"')  # Did you mean 'general'?
    yield call
    place.write("base.toml", GENERAL)
    place.edit("own.toml", '"general"', '"base.toml"')
    yield call


@advice("key 'extends': recipes extend each other in a ring: {}. Remove one `extends`.")
def bases_in_a_ring(place):
    place.write("base.toml", EXTENDS.replace("general", "own.toml"))
    call = extending(place, "")
    place.edit("own.toml", '"general"', '"base.toml"')
    yield call
    place.edit("base.toml", 'extends = "own.toml"', 'extends = "general"')
    yield call


@advice("`remove` names {}, {}.")
def removed_unknown(place):
    yield extending(place, 'remove = ["spamm"]\n')
    yield extending(place, 'remove = ["spam"]\n')


@advice("filter {} appears twice. Write one table with all its changes.")
def changed_twice(place):
    yield extending(
        place, '[[clean]]\nfilter = "length"\nmin_chars = 9\n[[clean]]\nfilter = "length"\nmax_chars = 99\n'
    )
    yield extending(place, '[[clean]]\nfilter = "length"\nmin_chars = 9\nmax_chars = 99\n')


@advice('key {} changes a base, and this recipe has none. Name one at the top (extends = "general"), or write the '
        "filters in their order.")  # fmt: skip
def changes_without_base(place):
    call = extending(place, 'remove = ["spam"]\n')
    place.edit("own.toml", 'extends = "general"\n', "")
    yield call
    place.edit("own.toml", 'name = "own"', 'extends = "general"\nname = "own"')
    yield call


@advice("filter {} has both `before` and `after`; keep one.")
def placed_twice(place):
    moved = '[[clean]]\nfilter = "spam"\nbefore = "length"\n'
    yield extending(place, moved + 'after = "language"\n')
    yield extending(place, moved)


@advice('filter {} under [[{}]] is {}. To add it, give its position: before = "FILTER" or after = "FILTER".')
def added_without_place(place):
    place.write("exams/a.jsonl", json.dumps({"text": "시험 문제의 글이다. " * 20}, ensure_ascii=False) + "\n")
    table = '[[judged]]\nfilter = "benchmark_overlap"\nsets = ["exams"]\n'
    yield extending(place, table)
    yield extending(place, table + 'before = "personal_data"\n')


@advice('filter {} is under [[{}]] in {}, here under [[{}]]. Write [[{}]] to change it; add before = "FILTER" or '
        'after = "FILTER" to move it.')  # fmt: skip
def changed_in_another_stage(place):
    yield extending(place, '[[curated]]\nfilter = "length"\nmin_chars = 9\n')
    yield extending(place, '[[clean]]\nfilter = "length"\nmin_chars = 9\n')
    yield extending(place, '[[judged]]\nfilter = "length"\nmin_chars = 9\nbefore = "morphology"\n')


@advice("filter {}: no {} under [[{}]] to go {}.{} There: {}.")
def placed_beside_none(place):
    yield extending(place, '[[clean]]\nfilter = "spam"\nbefore = "lenght"\n')
    yield extending(place, '[[clean]]\nfilter = "spam"\nbefore = "length"\n')


EXAMS = '\n[[judged]]\nfilter = "benchmark_overlap"\nsets = {}\n'


def exams(place: Place, files: str) -> None:
    text = GENERAL.replace(
        '[[judged]]\nfilter = "personal_data"', EXAMS.format(files) + '[[judged]]\nfilter = "personal_data"'
    )
    assert "benchmark_overlap" in text
    place.write("own.toml", text)


@advice("key {}: {}: no such file or folder; paths start from the recipe's folder, {}.")
def exam_missing(place):
    exams(place, '["exams/a.jsonl"]')
    yield "run own.toml --source sample --dry-run"
    place.write("exams/a.jsonl", json.dumps({"text": "시험 문제의 글이다. " * 20}, ensure_ascii=False) + "\n")
    yield "run own.toml --source sample --dry-run"


@advice("key {}: {}: the folder holds no file. Name the folder that holds the files.")
def exams_empty(place):
    (place.folder / "exams" / "inner").mkdir(parents=True)
    exams(place, '["exams/inner"]')
    place.write("exams/a.jsonl", json.dumps({"text": "시험 문제의 글이다. " * 20}, ensure_ascii=False) + "\n")
    yield "run own.toml --source sample --dry-run"
    place.edit("own.toml", "exams/inner", "exams")
    yield "run own.toml --source sample --dry-run"


@advice("key {}: a file appears twice in {}. Name each file or folder once.")
def exam_twice(place):
    place.write("exams/a.jsonl", json.dumps({"text": "시험 문제의 글이다. " * 20}, ensure_ascii=False) + "\n")
    exams(place, '["exams/a.jsonl", "exams"]')
    yield "run own.toml --source sample --dry-run"
    exams(place, '["exams"]')
    yield "run own.toml --source sample --dry-run"


@advice("name at least one source; `malmoi sources` lists the catalogue.")
def no_source(place):
    yield "collect"
    yield "sources"
    yield "collect sample --dry-run"


@advice("sources {} and {} are both called {}, so their ids would collide; name each source once.")
def source_twice(place):
    own(place)
    yield "collect own.py ./own.py"
    yield "collect own.py"


@advice("contact {} is not an address; give a mail address, or the address (http or https) of a page that says who "
        "crawls.")  # fmt: skip
def contact_without_address(place):
    own(place)
    yield "collect own.py --contact me"
    yield "collect own.py --contact crawl@office.example"
    yield "collect own.py --contact https://office.example/crawl"


@advice("version {} is not MAJOR.MINOR.PATCH; write three numbers, such as 1.0.0.")
def version_of_words(place):
    yield "run general --source sample --version banana --dry-run"
    yield "run general --source sample --version 1.0.0 --dry-run"


@advice("version {} cannot be made: {} {} is released, and a release is never edited. Leave --version out, or raise "
        "it.")  # fmt: skip
def version_stands(place):
    place.released()
    yield "run general --source small.py --workspace w --version 1.0.0"
    yield "run general --source small.py --workspace w"
    yield "run general --source small.py --workspace w --version 1.0.1 --dry-run"


@advice("--workers is {}; give at least 1.")
def workers_none(place):
    yield "run general --source sample --workers 0 --dry-run"
    yield "run general --source sample --workers 1 --dry-run"


@advice("{} is a folder, not a workspace in a bucket; name s3://BUCKET/PREFIX.")
def cache_of_a_folder(place):
    yield "cache trim w"
    yield "cache trim s3://bucket/a-workspace-without-a-copy"
