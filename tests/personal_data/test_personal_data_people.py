"""People and secrets: names, addresses, birth dates, mail, handles and keys, found and left alone.

The identifiers in the data belong to nobody: 홍길동 is the John Doe of Korea, the streets and
quarters do not exist, no calendar has the dates, the hosts are reserved and the keys were typed by us.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import re2

from filters import personal_data
from filters.pii_rules import name_model, person_names, search
from filters.pii_rules import person_names as names
from filters.pii_rules.candidate import Match
from filters.pii_rules.labels import find_cells
from filters.pii_rules.name_features import Excerpt
from filters.pii_rules.name_model import name_length
from filters.pii_rules.name_tagger import Name, tag_names
from malmoi.document import Document, Morphemes, Provenance
from tests.builders.rows import each_row

HERE = Path(__file__).parents[1] / "data" / "pii"
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


@each_row("case", cases("people-found"), ids=short)
def test_people_and_secrets_are_found(case: dict[str, Any]) -> None:
    assert marked(case["text"]) == case["found"], case["why"]


@each_row("case", cases("people-left-alone"), ids=short)
def test_what_only_looks_like_people_and_secrets_is_left_alone(case: dict[str, Any]) -> None:
    assert marked(case["text"]) == [], case["why"]


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u200b", "\n"])
def test_odd_blanks_between_label_and_value_hide_nothing(blank: str) -> None:
    assert marked(f"생년월일:{blank}1991-02-30") == [["birth_date", "1991-02-30"]]
    assert marked(f"예금주:{blank}홍길동") == [["name", "홍길동"]]


def test_the_author_of_a_long_text_stays_and_a_name_beside_a_mobile_does_not() -> None:
    weather = "오늘은 날씨가 맑고 바람이 잔잔했다. "
    assert marked(f"작성자: 홍길동\n{weather * 12}\n02-000-1234") == [["phone", "02-000-1234"]]
    assert marked(f"작성자: 홍길동\n{weather * 30}\n010-0000-1234") == [["phone", "010-0000-1234"]]
    assert marked("작성자: 홍길동\n010-0000-1234") == [["name", "홍길동"], ["phone", "010-0000-1234"]]


def test_a_name_alone_in_a_title_needs_a_reason_that_suffices() -> None:
    title, role = "홍길동 회고록", "환자 홍길동"
    read = [names.Text(text, text.encode(), [], document=False) for text in (title, role)]
    assert [len(found) for found in names.find_person_names(read)] == [0, 1]


def test_officials_keep_their_names_beside_the_number_of_their_desk() -> None:
    assert marked("건설과장 홍길동 02-000-0000, 담당 시장 홍길동 010-0000-1234") == [
        ["phone", "02-000-0000"],
        ["phone", "010-0000-1234"],
    ]


@pytest.mark.parametrize("particle", ["은", "이", "의", "에게", "님께서", "씨는", "입니다"])
def test_particles_behind_a_name_are_no_part_of_it(particle: str) -> None:
    text = f"피해자 홍길동{particle} 그날 집에 있었다."
    assert marked(text) == [["name", "홍길동"]]


@pytest.mark.parametrize("word", ["전화번호", "신한은행", "주소지", "담당자", "이메일", "고객센터", "우편번호"])
def test_words_of_forms_are_no_names(word: str) -> None:
    assert name_length(word) == 0


def test_a_table_ends_where_prose_begins() -> None:
    text = "성명,직급\n홍길동,사원\n\n가나다 라마바\n사아자, 차카타\n파하, 거너"
    assert next(text[a:b] for a, b in find_cells(text, text.encode(), re2.compile("성명"))) == "홍길동"
    prose = "그날 성명, 곧 함께 쓴 글을 두 나라가 내놓았고, 사람들은 오래 이야기했다.\n홍길동, 웃었다."
    assert list(find_cells(prose, prose.encode(), re2.compile("성명"))) == []


def analysed(*rows: tuple[str, str, int, int]) -> Morphemes:
    """An analysis with these morphemes: form, tag, start, length."""
    forms, tags, starts, lengths = zip(*rows, strict=True)
    return Morphemes(array("I", starts), array("H", lengths), tags, forms)


def beside(text: str, morphemes: Morphemes | None) -> list[str]:
    at = text.index("010-0000-1234")
    anchors = [Match(at, at + 13, "phone", 1.0, "")]
    (found,) = names.find_person_names([names.Text(text, text.encode(), anchors, morphemes)])
    return [text[f.start : f.end] for f in found]


def score(text: str, morphemes: Morphemes | None) -> float:
    return max(name.score for name in tag_names(text, morphemes, least=-9.0))


def test_an_analysis_that_knows_a_word_speaks_against_a_name() -> None:
    text = "오래된 문달재 010-0000-1234 쪽"
    assert score(text, analysed(("문달재", "NNG", 4, 3))) < score(text, analysed(("문달재", "NNP", 4, 3)))


def test_an_analysis_changes_nothing_about_a_given_name_of_the_list() -> None:
    text = "오늘 김도현 010-0000-1234 쪽"
    assert beside(text, analysed(("김", "NNP", 3, 1), ("도현", "NNG", 4, 2))) == beside(text, None) == ["김도현"]


def test_the_filter_asks_the_analysis_of_a_text_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Morphemes | None] = []

    def tag(excerpts: list[Excerpt], **_: object) -> list[list[Name]]:
        asked.extend(one.morphemes for one in excerpts)
        return [[] for _ in excerpts]

    monkeypatch.setattr(names, "tag_batch", tag)
    doc = Document("test/1", "오늘 문달재 010-0000-1234 쪽", Provenance("test", "", "", "", ""))
    known = replace(doc, morphemes=analysed(("문달", "VV", 3, 2), ("재", "EF", 5, 1)))
    personal_data.mark_batch([doc, known], kinds=("name",))
    assert asked == [None, known.morphemes]


def linked(text: str, data: bytes) -> list[Match]:
    anchors = [Match(i, i + 5, "phone", 1.0, "") for i in range(0, len(text) - 5, 40)]
    return names.find_person_names([names.Text(text, data, anchors)])[0]


def alone(text: str, data: bytes) -> list[Match]:
    return names.find_person_names([names.Text(text, data, [])])[0]


def test_family_names_and_given_names_are_lists_of_hangul() -> None:
    assert all("가" <= c <= "힣" for name in (*name_model.FAMILY, *name_model.FAMILY_OF_TWO) for c in name)
    assert all("가" <= c <= "힣" for name in name_model.read_words("given_names") for c in name)


def test_a_table_is_read_only_where_its_headings_are_wanted() -> None:
    text = "성명,연락처\n홍길동,없음\n\n\n\n성명,직급\n홍길동,사원"
    wanted = list(find_cells(text, text.encode(), re2.compile("성명"), lambda head: "연락처" in head))
    assert [text[a:b] for a, b in wanted] == ["홍길동"]


KINDS_OF_DOCUMENTS = [kind for kind, entry in person_names.read_kinds().items() if "found" in entry]


@each_row("kind", KINDS_OF_DOCUMENTS)
def test_the_examples_of_a_kind_of_document_hold(kind: str) -> None:
    entry = person_names.read_kinds()[kind]
    assert all(["name", "홍길동"] in marked(text) for text in entry["found"])
    assert all(marked(text) == [] for text in entry["left"])


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
    "names in a row": "김철수·",
    "names with a blank": "김 철수 ",
    "names in Chinese": "金哲洙 ",
    "questions": "성함을 알려 주세요\n",
    "forms": "이름: 김철수 연락처: ",
    "heads of tables": "성명,연락처,",
    "tellers": "이름은 김철수이고요 ",
    "rows behind a role": "상속인 김철수, ",
    "masked numbers": "010-1**4-0000 김철수 ",
    "tags": "<td>이름</td><td>",
    "relatives": "부 김 철 수 ",
    "obituaries": "부고 빈소 김철수 ",
    "Latin names": "Kim Cheol Su, ",
}


FINDERS = [
    *dict.fromkeys(one for _, owners in search.build_gates() for finders in owners for one in finders),
    alone,
    linked,
]


@pytest.mark.heavy
@each_row("unit", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_to_its_end(unit: str) -> None:
    text = unit * (8_000 // len(unit))
    for finder in FINDERS:
        assert all(0 <= f.start < f.end <= len(text) for f in finder(text, text.encode()))
