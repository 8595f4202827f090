"""What `morphology` marks: offsets, sentences, chunks."""

from __future__ import annotations

import json
from array import array
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import morphology
from malmoi.document import Document, Morphemes, Provenance

SENTENCES = [
    json.loads(line) for line in (Path(__file__).parent / "data/filters/sentences.jsonl").open(encoding="utf-8")
]


def marked(text: str) -> Morphemes:
    return morphology.mark(Document("test/1", text, Provenance("test", "", "", "", "")))


def sentences(text: str) -> list[str]:
    found = marked(text)
    return [text[a:b] for a, b in zip(found.sentence_start, found.sentence_end, strict=True)]


def test_offsets_count_code_points_behind_emoji_and_rare_hanja() -> None:
    text = "😀👨\u200d👩\u200d👧 𠀀 학교에 갔다."
    spots = {form: text[start : start + length] for form, _, start, length in marked(text).rows()}
    assert spots["학교"] == "학교"
    assert spots["에"] == "에"
    assert spots["가"] == spots["었"] == "갔"


def test_columns_are_as_wide_as_declared() -> None:
    found = marked("말이 씨가 된다.")
    assert (found.start.typecode, found.length.typecode) == ("I", "H")
    assert len(found.start) == len(found.length) == len(found.tag) == len(found.form)


def test_tags_carry_no_mark_of_regularity() -> None:
    assert not any("-" in tag for tag in marked("길을 걸어 집에 가고 물을 길었다.").tag)


def test_sentences_end_where_they_end() -> None:
    assert sentences("비가 온다. 우산을 폈다!") == ["비가 온다.", "우산을 폈다!"]


def test_a_heading_is_not_part_of_the_first_sentence() -> None:
    assert sentences("오늘의 날씨\n비가 온다.") == ["오늘의 날씨", "비가 온다."]


def test_a_sentence_runs_on_over_lines_wrapped_at_one_width() -> None:
    line = "우리는 그날 아침 일찍 일어나서 산을 오르기 시작했고 점심때가 되어서야"
    text = "\n".join([line] * 12) + "\n꼭대기에 닿았다."
    assert morphology.is_wrapped(text)
    assert len(sentences(text)) < 12


def test_a_text_is_analysed_the_same_each_time() -> None:
    text = "같은 글은 같은 결과를 낸다. 몇 번을 해도 그렇다."
    assert marked(text) == marked(text)


@pytest.mark.parametrize("text", ["", " \n ", "\ud800", "ㅋ" * 30_000, "가" * 25_000, "1" * 70_000])
def test_odd_texts_are_analysed_without_harm(text: str) -> None:
    found = marked(text)
    assert len(found.sentence_start) == len(found.sentence_end)
    assert all(a < b for a, b in zip(found.sentence_start, found.sentence_end, strict=True))
    assert isinstance(found.start, array)


def test_a_long_text_is_cut_at_lines_and_its_offsets_go_on() -> None:
    text = "나무를 심었다.\n" * 4_000
    found = marked(text)
    assert found.start[-1] > 3 * morphology.CHUNK_CHARS // 2
    assert all(text[s : s + n] == "나무" for f, _, s, n in found.rows() if f == "나무")
    assert len(found.sentence_start) == 4_000


@given(st.text(alphabet="가나 \n", max_size=60), st.integers(1, 9))
def test_chunks_are_the_text_again(text: str, size: int) -> None:
    pieces = list(morphology.chunks(text, size))
    assert "".join(piece for _, piece in pieces) == text
    assert all(text[offset:].startswith(piece) and len(piece) <= size for offset, piece in pieces)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80))
def test_every_morpheme_lies_inside_the_text_and_a_word_inside_a_sentence(text: str) -> None:
    found = marked(text)
    spans = list(zip(found.sentence_start, found.sentence_end, strict=True))
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    for _, tag, start, length in found.rows():
        assert start + length <= len(text)
        assert tag == "SB" or not text[start].isalnum() or any(a <= start and start + length <= b for a, b in spans)


@pytest.mark.parametrize("case", SENTENCES, ids=[c["why"] for c in SENTENCES])
def test_sentences_are_those_that_a_reader_sees(case: dict[str, Any]) -> None:
    assert sentences(case["text"]) == case["sentences"]


def test_fenced_code_has_no_morphemes_and_the_text_around_it_keeps_its_offsets() -> None:
    text = "예제를 봅니다.\n```js\n// 값을 더한다.\nlet a = 1;\n```\n값이 나옵니다."
    found = marked(text)
    block = range(text.index("```"), text.rindex("```") + 3)
    assert not any(start in block for start in found.start)
    assert sentences(text) == ["예제를 봅니다.", "값이 나옵니다."]
    assert {text[s : s + n] for f, _, s, n in found.rows() if f == "값"} == {"값"}


def test_a_heading_in_wrapped_text_stays_apart() -> None:
    line = "우리는 그날 아침 일찍 일어나서 산을 오르기 시작했고 점심때가 되어서야"
    text = "첫째 마당\n" + "\n".join([line] * 12) + "\n꼭대기에 닿았다.\n둘째 마당\n" + line + "\n내려왔다."
    assert morphology.is_wrapped(text)
    assert {"첫째 마당", "둘째 마당"} <= set(sentences(text))
    assert line + "\n내려왔다." in sentences(text)
