"""Which register a text has, by a model; silent where it is not sure."""

from __future__ import annotations

import json
import time
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.register_model import corpus, measure, train
from filters import morphology, register
from filters.register import BITS, MODEL, MORPHEME_WEIGHT, compute_features
from malmoi.document import Document, Morphemes, Provenance
from malmoi.errors import CallError
from malmoi.models import dump_model, load_model, read_content, write_model
from tests.builders.rows import each_row

HERE = Path(__file__).parents[1]


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / f"data/domain/{name}.jsonl").open(encoding="utf-8")]


# Floors of the held-out part of benchmarks/labels/domain.jsonl, two texts below the figures of docs/register-model.md.
HELD_OUT, HELD_OUT_LABELLED = 0.80, 0.90
ROWS, KINDS = [*lines("texts"), *lines("later")], lines("kinds")


def read(text: str) -> Document:
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    return replace(doc, morphemes=morphology.mark(doc))


def told(text: str) -> str:
    return dict(register.judge(read(text)).labels)["register"]


def test_the_floor_of_our_own_texts_does_not_sink() -> None:
    found = [(row["register"], told(row["text"])) for row in ROWS]
    said = [(gold, name) for gold, name in found if name]
    assert sum(gold == name for gold, name in said) / len(said) >= 0.97
    assert len(said) / len(found) >= 0.92


def test_every_kind_is_found_somewhere() -> None:
    assert {told(row["text"]) for row in ROWS} >= set(register.KINDS)


@each_row("case", KINDS, ids=[case["why"] for case in KINDS])
def test_lines_endings_and_formulae_tell_a_kind(case: dict[str, str]) -> None:
    assert told(case["text"]) == case["register"]


def test_the_scores_of_all_kinds_leave_room_for_none() -> None:
    for row in ROWS[:30]:
        doc = read(row["text"])
        assert doc.morphemes is not None
        found = register.score_kinds(doc.text, doc.morphemes)
        assert set(found) == set(register.KINDS)
        assert 0 < sum(found.values()) < 1.001
    menu = read("로그인 | 회원가입 | 사이트맵 | 번호 제목 글쓴이 날짜 조회 1032 1031 1030")
    assert menu.morphemes is not None
    assert sum(register.score_kinds(menu.text, menu.morphemes).values()) < 0.5


def test_a_label_never_drops() -> None:
    verdicts: list[Any] = [register.judge(read(row["text"])) for row in (*ROWS[:10], *KINDS)]
    assert {v.outcome for v in verdicts} == {"keep"}


def test_a_score_below_the_threshold_gives_no_label() -> None:
    doc = read(next(case["text"] for case in KINDS if case["register"] == "statutory"))
    score = dict(register.judge(doc).measures)["register_score"]
    above, below = register.judge(doc, min_score=min(1.0, score + 0.001)), register.judge(doc, min_score=score)
    assert [dict(v.labels)["register"] for v in (above, below)] == ["", "statutory"]


def test_without_morphemes_the_filter_names_what_is_missing() -> None:
    with pytest.raises(CallError, match="put 'morphology' before 'register'"):
        register.judge(Document("test/1", "글", Provenance("test", "", "", "", "")))


@pytest.mark.parametrize(
    "text",
    [
        "가" * 1_000_000,
        "ㅋ " * 500_000,
        "\n" * 1_000_000,
        "가: " * 300_000,
        '"' * 1_000_000,
        "제1조(" * 250_000,
        "은 " * 500_000,
    ],
    ids=["one token", "jamo", "line breaks", "speakers", "quotes", "articles", "particles"],
)
def test_no_input_costs_more_than_two_seconds(text: str) -> None:
    n = 200_000
    found = Morphemes(
        array("I", range(0, 5 * n, 5)),
        array("H", [5] * n),
        ("EF",) * n,
        ("다",) * n,
        array("I", [0]),
        array("I", [len(text)]),
    )
    start = time.process_time()
    register.score_kinds(text, found)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("text", ["", "\n", "가", "\ud800" * 40, "😀" * 2_000, "ㅋ" * 2_000])
def test_the_features_of_any_text_have_the_length_of_their_group(text: str) -> None:
    found = read(text).morphemes
    assert found is not None
    slots, values = compute_features(text, found)
    border = int(np.searchsorted(slots, 1 << BITS))
    assert len(slots) == len(values) and int(slots[-1]) < 2 << BITS
    assert np.linalg.norm(values[:border]) == pytest.approx(MORPHEME_WEIGHT if len(found) else 0, abs=1e-3)
    assert np.linalg.norm(values[border:]) == pytest.approx(1, abs=1e-3)


def character_slots(text: str, found: Morphemes | None) -> list[int]:
    assert found is not None
    return [slot for slot in compute_features(text, found).slots.tolist() if slot >= 1 << BITS]


def test_the_middle_of_a_long_text_says_nothing() -> None:
    page = "그는 1931년에 태어났다. " * 400
    other = page[:2_000] + "지금 바로 구매하세요! " * 20 + page[2_000:]
    assert character_slots(page, read(page).morphemes) == character_slots(other, read(other).morphemes)


def test_the_subject_of_a_text_is_masked_among_the_n_grams_of_morphemes() -> None:
    one, other = read("웨이퍼를 세척하였다.").morphemes, read("고양이를 세척하였다.").morphemes
    assert one is not None and other is not None and len(one) == len(other)
    assert np.array_equal(compute_features("", one).slots, compute_features("", other).slots)


def test_the_held_out_texts_of_another_writer_keep_their_registers() -> None:
    texts = [text for text in corpus.read_labels() if text.part == "held-out"]
    answers = measure.ask_filter(texts)
    assert sum(a.gold == a.found for a in answers) / len(answers) >= HELD_OUT
    labelled = [a for a in answers if a.best_score >= measure.MIN_SCORE]
    assert sum(a.gold == a.best for a in labelled) / len(labelled) >= HELD_OUT_LABELLED


def test_a_model_of_another_size_is_refused_with_what_to_run(tmp_path: Path) -> None:
    model = register.load()
    write_model(model._replace(weights=model.weights[1:]), tmp_path / "short.model")
    with pytest.raises(ValueError, match=r"run python -m benchmarks\.register_model\.train"):
        load_model(tmp_path / "short.model", model.weights.shape)


def test_a_model_is_read_as_it_was_written() -> None:
    assert dump_model(register.load()) == read_content(MODEL)


def test_held_out_texts_never_train() -> None:
    about = register.load().about
    texts = corpus.read_texts()
    assert about["texts"] == sum(text.part != "held-out" for text in texts) < len(texts)


def test_no_two_texts_that_train_or_measure_are_the_same() -> None:
    texts = [text.text for text in corpus.read_texts()]
    assert len(set(texts)) == len(texts)


@pytest.mark.soak  # 60 s
def test_the_model_is_the_one_that_the_texts_give() -> None:
    assert dump_model(train.train()) == read_content(MODEL)
