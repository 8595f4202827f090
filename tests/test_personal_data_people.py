"""People and secrets: names, addresses, birth dates, mail, handles and keys, found and left alone.

The identifiers in the data belong to nobody: 홍길동 is the John Doe of Korea, the streets and
quarters do not exist, no calendar has the dates, the hosts are reserved and the keys were typed by us.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import re2

from filters import personal_data
from filters.pii_rules import (
    addresses,
    email_parts,
    emails,
    messenger,
    names,
    number_parts,
    persons,
    phone_parts,
    resident_parts,
    secrets,
    spelled,
)
from filters.pii_rules.finding import Found
from filters.pii_rules.surnames import name_length
from filters.pii_rules.tables import cells
from malmoi.document import Document, Provenance

HERE = Path(__file__).parent / "data" / "pii"
KINDS: tuple[personal_data.Kind, ...] = (
    "name", "address", "birth_date", "email", "messenger", "url_secret", "key", "phone", "account"
)  # fmt: skip


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text("utf-8").splitlines()]


def marked(text: str) -> list[list[str]]:
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    return [[s.kind.removeprefix("pii:"), s.value] for s in personal_data.mark(doc, kinds=KINDS)]


def short(case: dict[str, Any]) -> str:
    return str(case["why"])


@pytest.mark.parametrize("case", cases("people-found"), ids=short)
def test_people_and_secrets_are_found(case: dict[str, Any]) -> None:
    assert marked(case["text"]) == case["found"], case["why"]


@pytest.mark.parametrize("case", cases("people-left-alone"), ids=short)
def test_what_only_looks_like_people_and_secrets_is_left_alone(case: dict[str, Any]) -> None:
    assert marked(case["text"]) == [], case["why"]


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u200b", "\n"])
def test_odd_blanks_between_label_and_value_hide_nothing(blank: str) -> None:
    assert marked(f"생년월일:{blank}1991-02-30") == [["birth_date", "1991-02-30"]]
    assert marked(f"예금주:{blank}홍길동") == [["name", "홍길동"]]


def test_a_name_is_linked_only_within_its_line_and_forty_code_points() -> None:
    far = "작성자: 홍길동\n" + "오늘은 날씨가 맑고 바람이 잔잔했다. " * 4 + "\n010-0000-1234"
    assert marked(far) == [["phone", "010-0000-1234"]]
    assert marked("작성자: 홍길동\n010-0000-1234") == [["name", "홍길동"], ["phone", "010-0000-1234"]]


def test_no_name_is_linked_where_nothing_else_was_found() -> None:
    assert list(names.linked("작성자: 홍길동", [])) == []


def test_officials_keep_their_names_beside_the_number_of_their_desk() -> None:
    assert marked("건설과장 홍길동 02-000-0000, 담당 시장 홍길동 010-0000-1234") == [
        ["phone", "02-000-0000"],
        ["phone", "010-0000-1234"],
    ]


@pytest.mark.parametrize("particle", ["은", "이", "의", "에게", "님께서", "씨는", "입니다"])
def test_particles_behind_a_name_are_no_part_of_it(particle: str) -> None:
    assert name_length("홍길동" + particle) == 3


@pytest.mark.parametrize("word", ["전화번호", "신한은행", "주소지", "담당자", "이메일", "고객센터", "우편번호"])
def test_words_of_forms_are_no_names(word: str) -> None:
    assert name_length(word) == 0


def test_a_table_ends_where_prose_begins() -> None:
    text = "성명,직급\n홍길동,사원\n\n가나다 라마바\n사아자, 차카타\n파하, 거너"
    assert next(text[a:b] for a, b in cells(text, text.encode(), re2.compile("성명"))) == "홍길동"
    prose = "그날 성명, 곧 함께 쓴 글을 두 나라가 내놓았고, 사람들은 오래 이야기했다.\n홍길동, 웃었다."
    assert list(cells(prose, prose.encode(), re2.compile("성명"))) == []


def linked(text: str, data: bytes) -> list[Found]:
    anchors = [Found(i, i + 5, "phone", 1.0, "") for i in range(0, len(text) - 5, 40)]
    return list(names.linked(text, anchors, data))


HOSTILE = {
    "labels": "성명 ",
    "headings without rows": "성명|",
    "headings as rows": "성명,생년월일,전화\n",
    "streets": "길 1 ",
    "addresses": "서울 강남구 없는동 1 ",
    "districts": "강남구 ",
    "doors": "1동 1호 ",
    "at in words": "a골뱅이",
    "signs at line ends": "a@\n",
    "letters apart": "a @ b c d ",
    "digits in words": "공하나",
    "digits as they are spoken": "일이삼 다시 ",
    "halves": "앞자리 뒷자리 ",
    "misread digits": "O1l0O1-O",
    "cells": "0000 | ",
    "prefixes": "010 | ",
    "houses": "아파트 101-",
    "roads": "1, A-ro, ",
    "ages": "세(1999.1.1",
    "dots in words": "a@b점",
    "keys that never end": "-----BEGIN PRIVATE KEY-----",
    "web tokens": "eyJabcdefgh.",
    "query keys": "?token=abcdef1",
    "passwords of URLs": "a://b:cccc@",
    "handles": "카톡 아이디 ",
    "births": "1999년 1월 1일생 ",
    "names": "김철수",
    "spaced names": "김 철 수 ",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "detector",
    [
        addresses.found,
        addresses.labelled,
        addresses.complexes,
        addresses.flats,
        addresses.english,
        email_parts.found,
        emails.found,
        messenger.found,
        names.found,
        number_parts.found,
        persons.found,
        persons.told,
        phone_parts.found,
        resident_parts.odd,
        secrets.found,
        spelled.dictated,
        spelled.in_words,
        linked,
    ],
    ids=lambda detector: f"{detector.__module__.rpartition('.')[2]}-{detector.__name__}",
)
def test_hostile_text_is_read_to_its_end(unit: str, detector: Callable[[str, bytes], Iterable[Found]]) -> None:
    text = unit * (8_000 // len(unit))
    assert all(0 <= f.start < f.end <= len(text) for f in detector(text, text.encode()))
