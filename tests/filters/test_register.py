"""Of which kind a text is: by endings, persons, formulae and lines; silent where it is not sure."""

from __future__ import annotations

import json
import time
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import re2

from filters import morphology, register
from malmoi.document import Document, Morphemes, Provenance
from malmoi.errors import CallError

HERE = Path(__file__).parents[1]


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / f"data/domain/{name}.jsonl").open(encoding="utf-8")]


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


@pytest.mark.parametrize("case", KINDS, ids=[case["why"] for case in KINDS])
def test_lines_endings_and_formulae_tell_a_kind(case: dict[str, str]) -> None:
    assert told(case["text"]) == case["register"]


def test_the_scores_of_all_kinds_leave_room_for_none() -> None:
    for row in ROWS[:30]:
        doc = read(row["text"])
        assert doc.morphemes is not None
        found = register.score_kinds(doc.text, doc.morphemes)
        assert set(found) == set(register.KINDS)
        assert 0 < sum(found.values()) < 1


def test_a_label_never_drops() -> None:
    verdicts: list[Any] = [register.judge(read(row["text"]), min_score=1.0) for row in ROWS[:10]]
    assert {(v.outcome, dict(v.labels)["register"]) for v in verdicts} == {("keep", "")}


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


def test_a_person_is_no_end_of_another_word() -> None:
    def kinds(text: str) -> set[str]:
        return {name for name, _ in register.find_cues(text)}

    assert "essay" not in kinds("새로 일어나는 문제 가운데 아내 몫")
    assert "essay" in kinds("그날 나는 걸었다")


def test_the_cues_name_known_kinds_and_compile() -> None:
    cues = list(register.read_cues())
    assert {name for name, _, _ in cues} == set(register.KINDS)
    assert all(0 < heavy <= 4 for _, heavy, _ in cues)
    assert len(register.load_cues().owners) == len(cues)
    assert ("statutory", 3.0) in register.find_cues("제1조(목적)")


def test_the_strings_that_a_cue_needs_hide_no_match_of_it() -> None:
    cues = [(name, heavy, re2.compile(cue)) for name, heavy, cue in register.read_cues()]
    for text in [row["text"] for row in (*ROWS, *KINDS)]:
        assert register.find_cues(text) == [(name, heavy) for name, heavy, cue in cues if cue.search(text)]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("김민수: 네. 박지은: 예. 김민수: 좋아요.", 2),
        ("의장 김민수 : 네.\n의장 김민수 : 예.", 2),
        ("○위원장 김민수 네. ○위원장 김민수 예.", 2),
        ("김민수: 네. 박지은: 예.", 0),
        ("가격은 김민수: 네 김민수: 예", 0),
        ("https: https: ", 0),
    ],
)
def test_a_turn_is_a_name_that_speaks_again(text: str, turns: int) -> None:
    assert register._count_turns(text) == turns
