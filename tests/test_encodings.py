"""Bytes become text: by what they are, not by what they are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.formats.encodings import decode, korean_share, python_name

DATA = Path(__file__).parent / "data" / "formats"
SENTENCE = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다. "


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", cases("encodings.jsonl"), ids=lambda case: case["why"])
def test_text_comes_back_from_its_bytes(case: dict[str, Any]) -> None:
    found = decode(case["text"].encode(case["bytes_are"]), case["declared"], html=case.get("html", False))
    assert (found.text, found.encoding, found.replaced) == (case["text"], case["encoding"], 0)


@pytest.mark.parametrize("case", cases("stray_bytes.jsonl"), ids=lambda case: case["why"])
def test_a_stray_byte_costs_one_character_at_most(case: dict[str, Any]) -> None:
    text = SENTENCE * 20
    raw = text.encode(case["bytes_are"])
    found = decode(raw[: case["at"]] + bytes.fromhex(case["insert"]) + raw[case["at"] :], case["declared"])
    assert found.text.endswith(SENTENCE * 19)
    first = found.text[: -len(SENTENCE * 19)]
    assert sum(char not in first for char in SENTENCE) <= 1
    assert 1 <= found.replaced <= 3  # the two halves of a UTF-8 syllable count one each


def test_a_byte_that_is_lost_does_not_cost_the_word() -> None:
    raw = (SENTENCE * 20).encode("cp949")
    found = decode(raw[:3] + raw[4:], "euc-kr")
    # Which of the two syllables beside it is broken cannot be known.
    assert found.text.endswith(SENTENCE[2:] + SENTENCE * 19)
    assert found.replaced == 1


def test_western_text_under_its_label_is_read() -> None:
    found = decode("Le dictionnaire a été recueilli par des élèves. ".encode("latin-1"), "iso-8859-1")
    assert (found.encoding, found.replaced) == ("cp1252", 0)


def test_bytes_that_are_no_text_are_counted_not_raised() -> None:
    found = decode(bytes(range(128, 256)) * 20)
    assert found.text
    assert found.replaced == found.text.count("\ufffd")


def test_labels_of_the_standard_all_mean_cp949() -> None:
    labels = ("euc-kr", "EUC-KR", "ks_c_5601-1987", "ksc5601", "ms949", "windows-949", "x-windows-949", "uhc", "cp949")
    assert {python_name(label) for label in (*labels, "iso-ir-149")} == {"cp949"}


def test_share_of_hangul_ignores_ascii() -> None:
    assert korean_share("abc 가나") == 1.0
    assert korean_share("abc") == 0.0
    assert korean_share("가é") == 0.5


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "euc-kr", "utf-16", "johab", "nonsense"]), st.booleans())
def test_no_bytes_and_no_label_raise(body: bytes, declared: str, html: bool) -> None:
    found = decode(body, declared, html=html)
    assert found.replaced == found.text.count("\ufffd")


@given(st.text(alphabet=st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=40))
def test_hangul_comes_back_from_cp949_under_its_label(text: str) -> None:
    assert decode(text.encode("cp949"), "euc-kr").text == text
