"""Items of evaluation sets are found however they were copied, and what they quote is not."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb

from filters import benchmark_overlap
from malmoi.apply import Bound, Dropped, Kept, walk
from malmoi.document import Document, Provenance
from malmoi.recipe_files import resolve_files
from malmoi.storage import shard
from tests.builders.rows import each_row

SETS = Path(__file__).parents[1] / "data" / "evaluation"
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (
    "섬마을 도서관은 배가 들어오는 날에만 문을 연다. 아이들은 갑판에서 내리자마자 책가방을 멘 채 언덕을 오른다. "
    "사서는 지난달에 들어온 그림책을 창가에 세워 두고, 물때가 바뀌기 전에 돌아갈 사람에게 먼저 빌려준다. "
    "겨울이면 난로 곁의 긴 의자가 가장 먼저 찬다.\n\n"
)
QUESTION = "새벽읍 공동 우물 규약에 따라 우물지기를 뽑는 방법으로 옳은 것은?"
CHOICES = ("마을 어른이 지명한다", "온 집이 모여 제비를 뽑는다", "이장이 맡는다", "해마다 나이순으로 맡는다")
SHORT = "다음 중 옳지 않은 것은?"
RULES = (
    "우물가에서는 빨래를 하여서는 아니 된다.",
    "가뭄이 든 때에는 집마다 하루 두 동이까지 길을 수 있다.",
    "우물지기는 해가 진 뒤 덮개를 열어 둔다.",
    "우물을 더럽힌 사람은 이레 동안 두레박줄을 간다.",
)


def doc(text):
    return Document("s/1", text, Provenance("s", "", "", "", ""))


def judged(text, *sets, **params):
    files = resolve_files(SETS.parent, "sets", [f"evaluation/{name}" for name in sets] or ["evaluation"])
    return benchmark_overlap.judge(doc(text), sets=files, **params)


def named(verdict):
    return dict(verdict.labels).get("benchmark_items", "")


@each_row(
    ("copy", "where"),
    [
        (QUESTION + "\n" + "\n".join(CHOICES), "the whole item"),
        (QUESTION.replace(" ", "") + " " + " ".join("".join(CHOICES)), "spaced anew"),
        ("「" + QUESTION.replace(" ", " · ") + "」 — …!", "other signs"),
        (QUESTION, "the question only"),
        (QUESTION + "\n" + "\n".join(reversed(CHOICES)), "choices in another order"),
        (json.dumps({"question": QUESTION, "A": CHOICES[0], "answer": 2}, ensure_ascii=False), "a line of JSON"),
        (QUESTION[:19] + "\n\n## 우물 이야기\n\n" + QUESTION[19:], "split by a heading"),
    ],
)
@each_row("pages", [1, 200])
def test_a_copied_item_is_found_however_it_was_copied(copy, where, pages):
    verdict = judged(PAGE * pages + copy + "\n\n" + PAGE, "kmmlu")
    assert (verdict.outcome, verdict.reason, verdict.measured) == ("drop", "overlap-kmmlu", 1.0), where
    assert dict(verdict.labels) == {"benchmarks": "kmmlu", "benchmark_items": "kmmlu/Law-test.csv:1"}


@each_row(
    "text",
    [
        PAGE,
        "새벽읍에는 공동 우물이 있고, 우물지기는 해마다 온 집이 모여 제비로 정한다는 규약이 전한다.",
        "우물지기를 뽑는 방법은 마을마다 다르다. 새벽읍 규약은 온 집이 모여 제비를 뽑는다고 적었다.",
        QUESTION[:19] + " 마을 어른들이 오래 이야기를 나누었다.",
        "\n".join(CHOICES),
        "새벽읍 우물 규약\n제1조 " + "\n제2조 ".join(RULES),
        SHORT,
        "오늘의 날씨",
        "달무리 극장은 지난가을 문을 닫은 뒤 마을 도서관으로 다시 태어났다.",
        "해오름시장은 1962년 장터 세 곳이 합쳐지며 생겼다. 상인회는 해마다 시월 첫 토요일에 장돌뱅이 노래를 부르는 "
        "잔치를 열고, 그날 번 돈의 절반을 골목 등불을 고치는 데 쓴다. 2011년 큰불이 난 뒤로는 밤마다 두 사람씩 짝을 "
        "지어 순찰을 돈다.",
    ],
)
def test_what_items_speak_of_is_no_leak(text):
    """Paraphrases, half a question, choices or rules or a passage that stand somewhere without the question."""
    verdict = judged(text + "\n" + PAGE)
    assert (verdict.outcome, verdict.reason) == ("keep", "no-overlap")
    assert verdict.measured < 0.7
    assert dict(verdict.labels) == {"benchmarks": ""}


def test_a_question_that_every_test_asks_needs_its_choices_beside_it():
    sheet = SHORT + "\n" + "\n".join(f"{'①②③④'[i]} {rule}" for i, rule in enumerate(reversed(RULES)))
    assert named(judged(PAGE + sheet, "kmmlu")) == "kmmlu/Law-test.csv:2"
    assert not named(judged(PAGE + SHORT + PAGE * 8 + "\n".join(RULES), "kmmlu"))


def test_a_short_question_needs_its_passage_beside_it():
    boolq = json.loads((SETS / "kobest/boolq/test.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert not named(judged(PAGE + boolq["question"], "kobest"))
    assert not named(judged(PAGE + boolq["paragraph"], "kobest"))
    found = judged(boolq["paragraph"] + "\n" + boolq["question"], "kobest")
    assert named(found) == "kobest-boolq/boolq/test.jsonl:1"


def test_a_title_must_stand_whole():
    title = "솔내전자 접는 전자책 단말기 내달 두 가지 색으로 출시"
    assert named(judged(PAGE + title, "klue")) == "klue-ynat/ynat-v1.1_dev.json:2"
    near = judged(PAGE + title.replace("내달 ", ""), "klue")
    assert not named(near)
    assert 0.5 < near.measured < 1.0


def test_both_sentences_of_a_pair_are_asked_for():
    one, two = (
        "숙소 창문을 열면 바로 앞에 포구가 보여서 아침마다 배 소리를 들었어요.",
        "창을 열면 포구가 눈앞이라 매일 아침 뱃소리에 잠이 깼습니다.",
    )
    assert not named(judged(PAGE + one, "klue"))
    assert named(judged(PAGE + one + "\t" + two, "klue")).startswith("klue-sts/")


def test_what_many_items_ask_is_no_evidence(tmp_path):
    stem = "다음 글을 읽고 글쓴이의 생각과 가장 가까운 것을 고르시오"
    rows = [
        {"question": stem, "choices": [f"{n}째 나그네는 {n * 7}리 길을 걸어 장터에 닿았다", "아니다"]}
        for n in range(1, 30)
    ]
    (tmp_path / "reading.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    files = resolve_files(tmp_path, "sets", ["reading.jsonl"])
    assert not named(benchmark_overlap.judge(doc(PAGE + stem), sets=files))
    found = benchmark_overlap.judge(doc(f"{stem}\n{rows[8]['choices'][0]}"), sets=files)
    assert named(found) == "reading/reading.jsonl:9"


def test_marking_keeps_the_text_and_names_the_sets():
    text = PAGE + QUESTION + PAGE + "솔내전자를 세운 한누리는 열아홉 살에 라디오를 고치며 회로를 배웠다."
    marked = judged(text, action="mark")
    assert marked.outcome == "keep"
    assert dict(marked.labels)["benchmarks"] == "klue-re,kmmlu"
    assert dict(marked.measures)["benchmark_items"] == 2
    spared = judged(text, only_mark=("klue-re",))
    assert (spared.outcome, spared.reason) == ("drop", "overlap-kmmlu")
    assert judged(text, only_mark=("klue-re", "kmmlu")).outcome == "keep"


def test_labels_never_hold_the_text_of_an_item():
    everything = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SETS.rglob("*")) if path.is_file())
    verdict = judged(everything)
    assert verdict.outcome == "drop"
    assert re.fullmatch(r"[a-z,-]+", dict(verdict.labels)["benchmarks"])
    for name in named(verdict).split(","):
        assert re.fullmatch(r"[a-z-]+/[A-Za-z0-9_./-]+:\d+", name), name


def test_an_item_that_stands_in_two_files_counts_for_the_first():
    files = resolve_files(SETS, "sets", ["kobest", "kobest-tsv"])
    found = benchmark_overlap.load_index(files, 12)
    assert found.items["kobest-copa"] == 2
    assert found.unsearched["kobest-copa"] == 1


def test_letters_repeated_a_million_times_take_no_longer_than_their_length(tmp_path):
    (tmp_path / "one.txt").write_text("가" * 40 + "\n" + "가나" * 30 + "\n" + QUESTION, encoding="utf-8")
    files = resolve_files(tmp_path, "sets", ["one.txt"])
    for text in ("가" * 1_000_000, "가나" * 500_000, QUESTION[:14] * 50_000):
        assert benchmark_overlap.judge(doc(text), sets=files).outcome == "keep"
    assert named(benchmark_overlap.judge(doc(QUESTION * 20_000), sets=files)) == "one/one.txt:3"
    for text in ("", "!", "가", "\ud800" * 50):
        assert benchmark_overlap.judge(doc(text), sets=files).outcome == "keep"


def test_threads_that_search_at_once_do_not_disturb_each_other():
    texts = [PAGE * n + (QUESTION if n % 2 else "") for n in range(1, 40)]
    with ThreadPoolExecutor(4) as threads:
        outcomes = [verdict.outcome for verdict in threads.map(lambda text: judged(text, "kmmlu"), texts)]
    assert outcomes == ["drop" if n % 2 else "keep" for n in range(1, 40)]


def test_the_query_of_the_docs_counts_documents_and_items_by_set(tmp_path, monkeypatch):
    files = resolve_files(SETS.parent, "sets", ["evaluation"])
    bound = Bound(
        "benchmark_overlap", "judge", partial(benchmark_overlap.judge, sets=files, only_mark=("klue-re", "klue-dp"))
    )
    radio = "솔내전자를 세운 한누리는 열아홉 살에 라디오를 고치며 회로를 배웠다."
    dano = "해마다 단오가 되면 온 마을 사람이 느티나무 아래에 모여 씨름을 구경했다."
    texts = [PAGE, PAGE + QUESTION, PAGE + QUESTION + radio, PAGE + radio + dano]
    outcomes = [walk(replace(doc(text), id=f"s/{n}"), (bound,)) for n, text in enumerate(texts)]
    kept = shard.to_table([one.document for one in outcomes if isinstance(one, Kept)])
    dropped = shard.to_dropped_table([one for one in outcomes if isinstance(one, Dropped)])
    assert (kept.num_rows, dropped.num_rows) == (2, 2)
    (tmp_path / "3-clean/k").mkdir(parents=True)
    shard.write(kept, tmp_path / "3-clean/k/documents.parquet")
    shard.write(dropped, tmp_path / "3-clean/k/dropped.parquet")
    (sql,) = re.findall(r"```sql\n(.*?)```", (DOCS / "evaluation-sets.md").read_text(encoding="utf-8"), re.S)
    monkeypatch.chdir(tmp_path)
    assert duckdb.sql(sql).fetchall() == [("klue-dp", 1, 1), ("klue-re", 2, 1), ("kmmlu", 2, 1)]
