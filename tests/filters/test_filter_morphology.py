"""What `morphology` marks: offsets, sentences, units; and that its memory cannot be seen."""

from __future__ import annotations

import json
import sys
import time
from array import array
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import morphology
from filters.korean import sentence_boundaries as sentences_of_kiwi
from filters.korean.text_views import find_fences
from malmoi.document import Document, Morphemes, Provenance
from tests.builders.rows import each_row

SENTENCES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data/filters/sentences.jsonl").open(encoding="utf-8")
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
    assert morphology.wrap_width(text)
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


def test_the_offsets_of_a_long_text_go_on() -> None:
    text = "나무를 심었다.\n" * 4_000 + "나무를 심었다. " * 1_000
    found = marked(text)
    assert found.start[-1] > len(text) - 4
    assert all(text[s : s + n] == "나무" for f, _, s, n in found.rows() if f == "나무")
    assert len(found.sentence_start) == 5_000


@given(st.text(alphabet="가나 .\n", max_size=60), st.integers(2, 9))
def test_chunks_are_the_text_again(text: str, size: int) -> None:
    pieces = list(morphology.chunks(text, 0, len(text), size))
    assert "".join(text[a:b] for a, b in pieces) == text
    assert all(0 < b - a <= size for a, b in pieces)


@given(st.text(alphabet="가나 .\n\t", max_size=80))
def test_units_leave_nothing_out_but_white_space(text: str) -> None:
    pieces = [text[a:b] for unit in morphology.split_units(text) for a, b in unit]
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_what_is_remembered_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["제목\n비가 온다. 눈도 온다.", "비가 온다. 눈도 온다.\n제목", "😀 제목\n제목\n제목", "제목 비가 온다."]
    monkeypatch.setattr(morphology, "KEPT_CHARS", 0)
    alone = [marked(text) for text in texts]
    monkeypatch.setattr(morphology, "KEPT_CHARS", 100)
    for order in (texts, texts[::-1], texts * 2):
        monkeypatch.setattr(morphology, "_MEMORY", morphology._Memory())
        assert all(marked(text) == alone[texts.index(text)] for text in order)


def test_memory_is_bounded_and_keeps_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(morphology, "KEPT_BYTES", 8_000)
    memory = morphology._Memory()
    monkeypatch.setattr(morphology, "_MEMORY", memory)
    for number in range(30):
        marked(f"차림표\n{number}번 줄")
        for generation in (memory.young, memory.old):
            assert sum(map(estimate, generation.values())) <= 8_000
    assert memory.get("차림표") is not None
    assert memory.get("1번 줄") is None


def estimate(unit: morphology.Unit) -> int:
    return morphology._UNIT_BYTES + morphology._MORPHEME_BYTES * len(unit.tags)


def test_a_remembered_line_takes_no_more_memory_than_is_reckoned() -> None:
    lines = ["차림표", "로그인", "비가 온다. 눈도 온다.", "학교에서 집까지 걸어가는 길에 나무를 심었다. " * 8]
    for line in lines:
        unit = morphology.analyse_unit(line, [(0, len(line))])
        size = sys.getsizeof(unit) + sys.getsizeof(line) + 100  # and its entry in the table
        size += sum(map(sys.getsizeof, unit)) + sum(map(sys.getsizeof, unit.forms))
        assert size <= estimate(unit)


def test_the_short_way_to_kiwi_gives_what_tokenize_gives() -> None:
    texts = [case["text"] for case in SENTENCES] + ["", "했어욗 ㅋㅋ 😀 https://example.kr/a #봄 @누구 010-1234-5678"]
    for text in texts:
        ours, theirs = morphology.load_tokenizer()(text), morphology.load().tokenize(text)
        assert [(*t, t.sent_position) for t in ours] == [(*t, t.sent_position) for t in theirs]


@pytest.mark.parametrize("piece", ["ㅋㅋ. ", "😀 ", "간다 ㅋㅋ. "])
def test_emoticons_without_end_are_looked_at_a_bounded_number_of_times(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0
    look = sentences_of_kiwi._Line.is_emoticon

    def counted(line: sentences_of_kiwi._Line, i: int) -> bool:
        nonlocal looked
        looked += 1
        return look(line, i)

    monkeypatch.setattr(sentences_of_kiwi._Line, "is_emoticon", counted)
    monkeypatch.setattr(morphology, "KEPT_CHARS", 0)
    counts = []
    for times in (500, 1_000):
        marked(piece * times)
        counts.append(looked)
        looked = 0
    assert 0 < counts[1] < 2.2 * counts[0]


def test_a_line_that_says_the_same_without_end_is_analysed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    kiwi = morphology.load_tokenizer()

    def noted(text: str) -> list[Any]:
        read.append(text)
        return kiwi(text)

    monkeypatch.setattr(morphology, "load_tokenizer", lambda: noted)
    found = marked("것 을 " * 5_000)
    assert len(found) == 10_000 and found.start[-1] == 19_998
    assert len([text for text in read if text]) <= 2  # the last piece has no blank behind it


def test_a_stretch_too_long_for_a_word_is_cut_and_its_offsets_hold() -> None:
    text = "앞말이다. " + "나무" * 200 + " 뒷말이다."
    found = marked(text)
    assert text[found.sentence_start[0] : found.sentence_end[0]] == "앞말이다."
    last = [(f, text[s : s + n]) for f, _, s, n in found.rows()][-5:]
    assert ("말", "말") in last
    assert found.sentence_end[-1] == len(text)


def test_beyond_the_limit_of_unspaced_text_nothing_is_analysed_but_the_words_behind_it() -> None:
    text = "가나다라" * 10_000 + " 학교에 갔다."
    found = marked(text)
    inside = [s for s in found.start if morphology.UNSPACED_CHARS <= s < 40_000]
    assert not inside
    assert "학교" in found.form


def test_a_long_address_stays_whole() -> None:
    address = "https://example.kr/" + "a1/" * 100
    assert ("W_URL", address) in {(t, f) for f, t, *_ in marked(f"주소는 {address} 이다.").rows()}


@pytest.mark.parametrize(
    "text",
    ["a" * 10**6, "ㅋ" * 10**6, "가" * 10**6, "이다" * 5 * 10**5, "1," * 5 * 10**5, '"' * 10**6, "\n" * 10**6],
    ids=["letters", "ㅋ", "syllables", "words", "digits", "quotes", "breaks"],
)
def test_a_million_code_points_without_a_blank_take_under_two_seconds_a_megabyte(text: str) -> None:
    start = time.process_time()
    marked(text)
    assert time.process_time() - start < 2 * len(text.encode()) / 1e6


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


@each_row("case", SENTENCES, ids=[c["why"] for c in SENTENCES])
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
    assert morphology.wrap_width(text)
    assert {"첫째 마당", "둘째 마당"} <= set(sentences(text))
    assert line + "\n내려왔다." in sentences(text)


def test_lines_between_two_blocks_of_code_are_units() -> None:
    text = "가.\n```\nx\n```\n나.\n다.\n~~~\ny\n~~~\n라."
    assert [text[a:b] for unit in morphology.split_units(text, find_fences(text)) for a, b in unit] == [
        "가.",
        "나.",
        "다.",
        "라.",
    ]
