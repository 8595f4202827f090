"""The gates before the detectors of personal data let through every text in which one of them finds something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from filters.pii_rules import search
from tests.builders.rows import each_row
from tests.builders.small_hostile import grows_with_the_text

DATA = Path(__file__).parents[1] / "data"
FILES = sorted((DATA / "pii").glob("*found.jsonl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_detector_finds_what_its_gate_keeps_from_it(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        text = json.loads(line)["text"]
        data = text.encode("utf-8", "replace")
        for gate, owners in search.build_gates():
            let_through = {one for i in gate.Match(data) or () for one in owners[i]}
            for detector in {one for finders in owners for one in finders} - let_through:
                assert list(detector(text, data)) == [], text


HOSTILE = {
    "services": lambda n: "카톡 " * (n // 3),
    "questions for a handle": lambda n: "카톡 아이디 뭐\n" * (n // 9),
    "letters apart": lambda n: "카톡 " + "a " * (n // 2),
    "at signs that are offered": lambda n: "연락 @a_" * (n // 6),
    "a service behind": lambda n: "a_1 카톡임 " * (n // 8),
    "passwords without a value": lambda n: "비밀번호 " * (n // 5),
    "passwords beside accounts": lambda n: "비번 a / b" * (n // 9),
    "doors": lambda n: "101동 1203호 " * (n // 11),
    "doors behind many words": lambda n: ("서울 " + "가나 " * 20 + "101동 1203호 ") * (n // 75),
    "details without an end": lambda n: "서울 강남구 없는동 1" + " 101동" * (n // 5),
    "letters of an address apart": lambda n: "시 가 나 로 1 " * (n // 10),
    "regions in Latin letters": lambda n: "Seoul, Gangnam-gu, " * (n // 19),
    "districts": lambda n: "구" * n,
    "plates": lambda n: "00가0000 " * (n // 9),
    "questions for a birth date": lambda n: "생일이 언제예요?\n" * (n // 10),
    "years in words": lambda n: "구십년 " * (n // 4),
    "postcodes in lines": lambda n: "\n01234" * (n // 6),
    "cells of one digit": lambda n: "0|1|0|" * (n // 6),
    "cells of an account": lambda n: "계좌 | 302 | 0000 " * (n // 16),
    "resident numbers apart": lambda n: "9 1 0 2 3 0 - 1 * " * (n // 18),
    "pictures for signs": lambda n: "a📧b💫" * (n // 4),
    "letters told by their names": lambda n: "에이 비 씨 " * (n // 7),
    "letters of a mail apart": lambda n: "a b c d @ e" * (n // 11),
    "numbers in words in a row": lambda n: "공일공ㅡ공사팔팔ㅡ일일구이 / " * (n // 17),
}


@pytest.mark.heavy
@each_row("name", HOSTILE)
def test_eight_times_the_hostile_text_takes_about_eight_times_as_long(name: str) -> None:
    assert grows_with_the_text(HOSTILE[name])
