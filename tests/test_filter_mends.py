"""What `normalise` and `furniture` mend, and what they leave alone."""

from __future__ import annotations

import json
import time
import unicodedata
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import furniture, normalise
from malmoi.document import Document, Edits, Provenance

CASES = [json.loads(line) for line in (Path(__file__).parent / "data/filters/clean.jsonl").open(encoding="utf-8")]
PIECES = st.sampled_from(
    [
        *(" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\x00", "\ufffd", "\ud800"),
        *("가", "각", "한", "\u1112", "\u1161", "\u11ab", "\u119e", "ㅋ", "ﾾ", "ￂ", "ﾤ", "\u0301", "e", "漢", "\uf90a"),
        *("👨", "❤", "\ufe0f", "공유", "인쇄", "공유하기", "홈 > 소식", "무단전재 및 재배포 금지", "말이다."),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60))


def document(text: str) -> Document:
    return Document("test/1", text, Provenance("test", "", "", "", ""))


def applied(text: str, edits: Edits) -> str:
    out, done = [], 0
    for edit in edits:
        assert done <= edit.start <= edit.end <= len(text), "sorted, inside, not overlapping"
        assert text[edit.start : edit.end] != edit.text, "an edit changes something"
        out += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*out, text[done:]])


@pytest.mark.parametrize("case", CASES, ids=[c["why"] for c in CASES])
def test_a_mended_text_reads_as_expected(case: dict[str, Any]) -> None:
    mend = import_module(f"filters.{case['filter']}").mend
    assert applied(case["text"], mend(document(case["text"]))) == case["out"]


@given(TEXTS)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = applied(text, normalise.mend(document(text)))
    assert normalise.mend(document(once)) == ()


@given(TEXTS)
def test_a_normalised_text_is_nfc_and_can_be_written(text: str) -> None:
    once = applied(text, normalise.mend(document(text)))
    assert unicodedata.is_normalized("NFC", once)
    once.encode("utf-8")


@given(TEXTS)
def test_removing_furniture_twice_is_removing_it_once(text: str) -> None:
    once = applied(text, furniture.mend(document(text)))
    assert furniture.mend(document(once)) == ()


@given(TEXTS)
def test_furniture_only_removes(text: str) -> None:
    assert all(edit.text == "" for edit in furniture.mend(document(text)))


def test_an_edit_names_its_rule() -> None:
    edits = furniture.mend(document("글이다.\n본문 바로가기"))
    assert [edit.reason for edit in edits] == ["jump-link"]


def test_a_line_longer_than_the_limit_is_never_furniture() -> None:
    line = "저작권자 ⓒ 신문, 무단전재 및 재배포 금지"
    assert furniture.mend(document(line), max_chars=10) == ()


def test_a_clean_text_has_no_edits() -> None:
    assert normalise.mend(document("맑은 글이다.\n\n둘째 문단도 맑다.")) == ()


def test_an_edit_covers_only_what_changes() -> None:
    (edit,) = normalise.mend(document("앞은 그대로 가\u200b나 뒤도 그대로"))
    assert (edit.start, edit.end, edit.text, edit.reason) == (8, 9, "", "control")


def test_no_line_makes_a_rule_go_back_without_end() -> None:
    for piece in ("로그인 ", "조회 1 ", "공유 ", "홈 > ", "▶ ", "이전글 | ", "메뉴 사이트는 쿠키를 "):
        line = (piece * 2_000)[:10_000] + "x"
        begun = time.process_time()
        furniture.rule_of(line)
        assert time.process_time() - begun < 1.0, piece  # `re` needed minutes for 120 code points
