"""Evaluation sets are read by their published fields; what a recipe names and is none is refused, with a word why."""

import gzip
import json
import pickle
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.evaluation.item_files import items_of
from malmoi import recipe as recipes
from malmoi.apply import Dropped, Kept, walk
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from malmoi.recipe_files import resolve_files

SETS = Path(__file__).parents[1] / "data" / "evaluation"
DOCS = Path(__file__).parents[2] / "docs"
HEAD = 'name = "t"\npurpose = "p"\nunredacted = "a test"\n[[clean]]\nfilter = "rights"\n'
QUESTION = "새벽읍 공동 우물 규약에 따라 우물지기를 뽑는 방법으로 옳은 것은?"
PAGE = "섬마을 도서관은 배가 들어오는 날에만 문을 연다. 아이들은 갑판에서 내리자마자 언덕을 오른다.\n"


def doc(text):
    return Document("s/1", text, Provenance("s", "", "", "", ""))


@pytest.mark.parametrize(
    ("file", "set_name", "count", "asked"),
    [
        ("klue/ynat-v1.1_dev.json", "klue-ynat", 3, "바람골 주민들"),
        ("klue/klue-sts-v1.1_dev.json", "klue-sts", 2, "숙소 창문을"),
        ("klue/klue-nli-v1.1_dev.json", "klue-nli", 2, "달무리 극장이"),
        ("klue/klue-re-v1.1_dev.json", "klue-re", 1, "솔내전자를"),
        ("klue/klue-ner-v1.1_dev.tsv", "klue-ner", 1, "솔내전자는 여름에 새벽읍으로 옮긴다."),
        ("klue/klue-dp-v1.1_dev.tsv", "klue-dp", 1, "해마다 단오가"),
        ("klue/klue-mrc-v1.1_dev.json", "klue-mrc", 2, "해오름시장 상인회가"),
        ("klue/wos-v1.1_dev.json", "klue-dst", 1, "새벽읍에서 팥죽"),
        ("kobest/boolq/test.jsonl", "kobest-boolq", 2, "갯바람등대는"),
        ("kobest/copa/test.jsonl", "kobest-copa", 1, "민호는 밤새"),
        ("kobest/wic/test.jsonl", "kobest-wic", 1, "강을 건너는"),
        ("kobest/hellaswag/test.jsonl", "kobest-hellaswag", 1, "요리사가"),
        ("kobest/sentineg/test.jsonl", "kobest-sentineg", 1, "배송은"),
        ("kobest-tsv/BoolQ/test.tsv", "kobest-boolq", 2, "갯바람등대는"),
        ("kobest-tsv/COPA/test.tsv", "kobest-copa", 1, "민호는 밤새"),
        ("kobest-tsv/WiC/test.tsv", "kobest-wic", 1, "강을 건너는"),
        ("kobest-tsv/SentiNeg/test.tsv", "kobest-sentineg", 1, "배송은"),
        ("kmmlu/Law-test.csv", "kmmlu", 3, "새벽읍 공동 우물"),
        ("kmmlu/Textile-test.jsonl", "kmmlu", 1, "삼베를 짜기"),
        ("haerae/rare_words.jsonl", "hae-rae", 1, "다음 낱말의 뜻"),
        ("haerae/general.csv", "hae-rae", 1, "갯마을 아이들이"),
        ("click/Culture/Tradition_Kedu.json", "click", 1, "새벽읍 사람들이"),
        ("click/click.jsonl", "click", 1, "이웃집에"),
        ("plain/questions.txt", "plain", 2, "등대지기가"),
        ("plain/workshop.jsonl", "plain", 1, "quiz"),
    ],
)
def test_each_published_form_is_read_by_its_fields(file, set_name, count, asked, tmp_path):
    (found,) = resolve_files(SETS, "sets", [file])
    items = items_of(found)
    assert (items[0].set, len(items)) == (set_name, count)
    assert items[0].question[0].startswith(asked)
    packed = tmp_path / f"{Path(file).name}.gz"
    packed.write_bytes(gzip.compress((SETS / file).read_bytes()))
    (again,) = resolve_files(tmp_path, "sets", [packed.name])
    if set_name != "kobest-sentineg":  # which its fields alone do not tell
        assert [item.question for item in items_of(again)] == [item.question for item in items]


def test_passages_and_choices_are_no_questions():
    (mrc,) = resolve_files(SETS, "sets", ["klue/klue-mrc-v1.1_dev.json"])
    assert items_of(mrc)[0].choices == ("골목 등불",)
    assert items_of(mrc)[0].passage[0].startswith("해오름시장은")
    (click,) = resolve_files(SETS, "sets", ["click/Culture/Tradition_Kedu.json"])
    assert len(items_of(click)[0].choices) == 5


def test_parquet_is_read_as_the_lines_it_was_made_of(tmp_path):
    rows = [json.loads(line) for line in (SETS / "kobest/boolq/test.jsonl").open("rb")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "validation.parquet")
    (found,) = resolve_files(tmp_path, "sets", ["validation.parquet"])
    assert [item.set for item in items_of(found)] == ["kobest-boolq"] * 2


def recipe(folder, table):
    path = folder / "t.toml"
    path.write_text(HEAD + '[[clean]]\nfilter = "benchmark_overlap"\n' + table, encoding="utf-8")
    return path


def test_a_recipe_names_files_from_where_it_lies_and_its_key_follows_their_content(tmp_path):
    digests = []
    for name in ("one", "two", "three"):
        shutil.copytree(SETS / "kmmlu", tmp_path / name / "sets")
        if name == "three":
            (tmp_path / name / "sets" / "Law-test.csv").write_text("question,A,B,C,D\n다른 물음,1,2,3,4\n")
        loaded = recipes.load(recipe(tmp_path / name, 'sets = ["sets"]\n'))
        digests.append(recipes.slice_digest(loaded.stage("clean")))
    assert digests[0] == digests[1] != digests[2]
    (_, step) = pickle.loads(pickle.dumps(recipes.load(recipe(tmp_path / "one", 'sets = ["sets"]\n')).stage("clean")))
    assert str(tmp_path) not in str(step.params)
    (bound,) = recipes.bind((step,))
    assert isinstance(walk(doc(PAGE + QUESTION), (bound,)), Dropped)
    assert isinstance(walk(doc(PAGE), (bound,)), Kept)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", "", "a.json: the file is empty"),
        ("a.json", '{"data": [', r"a.json:1: not valid JSON"),
        ("a.jsonl", '{"question": "우물?"}\n{"question": \n', r"a.jsonl:2: not valid JSON"),
        (
            "a.json",
            '[{"fragen": "우물은?", "id": 3}]',
            r"fields 'fragen', 'id' belong to no known evaluation set. Rename .* question",
        ),
        ("a.csv", "frage,antwort\nx,y\n", "fields 'frage', 'antwort' belong to no known evaluation set"),
        ("a.json", "[1, 2]", "expected an object with fields, found int"),
        (
            "a.json",
            '[{"problems": [{"choices": []}]}]',
            r"row 1 does not have the layout of the first \(KeyError: 'question'\)",
        ),
        ("a.jsonl", '{"id": 1}\n{"id": 2}\n', "no item with a text"),
        ("a.bin", "\x00\x01 글", "not a file of an evaluation set"),
        ("a.parquet", "PAR1 글", "not a complete Parquet file"),
        ("a.txt", "글".encode("cp949"), "not UTF-8 at byte 0. Convert it"),
        ("a.txt.gz", b"\x1f\x8b\x08 ", "not a complete gzip file"),
    ],
)
def test_a_file_that_is_no_set_stops_the_recipe_and_says_what_to_do(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CallError, match=says) as caught:
        recipes.load(recipe(tmp_path, f'sets = ["{name}"]\n'))
    assert "t.toml: filter 'benchmark_overlap'" in str(caught.value)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('sets = ["nowhere.json"]\n', "no such file or folder; paths start from the recipe's folder"),
        ('sets = ["empty"]\n', "the folder holds no file"),
        ('sets = "empty"\n', r'not a list .* A list: sets = \["empty"\]'),
        ('sets = ["t.toml", "t.toml"]\n', "appears twice"),
        ("", "key 'sets': Field required"),
        ('sets = ["q.txt"]\nrun = 4\n', "key 'run': Input should be greater than or equal to 8"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(tmp_path, table, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "q.txt").write_text("우물가에서 두레박을 처음 쓴 사람은 누구인가?\n", encoding="utf-8")
    with pytest.raises(CallError, match=says):
        recipes.load(recipe(tmp_path, table))


def test_a_file_that_changes_under_a_run_stops_it(tmp_path):
    (tmp_path / "q.txt").write_text("우물가에서 두레박을 처음 쓴 사람은 누구인가?\n", encoding="utf-8")
    steps = recipes.load(recipe(tmp_path, 'sets = ["q.txt"]\n')).stage("clean")
    (tmp_path / "q.txt").write_text("다른 물음\n", encoding="utf-8")
    with pytest.raises(CallError, match="changed since the recipe was read"):
        recipes.bind(steps)


def test_a_set_that_is_only_marked_must_be_among_the_sets(tmp_path):
    shutil.copytree(SETS / "kmmlu", tmp_path / "kmmlu")
    steps = recipes.load(recipe(tmp_path, 'sets = ["kmmlu"]\nonly_mark = ["kmlu"]\n')).stage("clean")
    with pytest.raises(CallError, match="only_mark names the unknown set 'kmlu'; the sets are kmmlu"):
        recipes.bind(steps)


def test_the_recipe_of_the_docs_loads(tmp_path):
    text = (DOCS / "evaluation-sets.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"```toml\n(.*?)```", text, re.S)
    shutil.copytree(SETS, tmp_path / "evaluation")
    (tmp_path / "t.toml").write_text(HEAD + table, encoding="utf-8")
    (_, step) = recipes.load(tmp_path / "t.toml").stage("clean")
    assert step.filter == "benchmark_overlap"
    recipes.bind((step,))
    assert {file.name.split("/")[0] for file in dict(step.params)["sets"]} == {
        "klue",
        "kobest",
        "kmmlu",
        "haerae",
        "click",
    }
