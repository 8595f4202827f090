"""A value that is found once in a document is masked wherever it stands in it, in every writing, with one number.

Values belong to nobody; see test_personal_data.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from filters import personal_data, redact
from filters.pii_rules import repeats
from malmoi import apply
from malmoi.document import Document, Provenance
from tests.builders.rows import each_row
from tests.builders.small_hostile import grows_with_the_text

CASES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data/pii/repeats.jsonl").read_text("utf-8").splitlines()
]
AGAIN = [(case, writing) for case in CASES for writing in case["again"]]
STAYS = [(case, text) for case in CASES for text in case["stays"]]


def document(text: str, title: str = "", author: str = "", url: str = "") -> Document:
    return Document("test/1", text, Provenance("test", url, "", "", ""), title=title, author=author)


def redacted(doc: Document, **params: Any) -> Document:
    doc = apply.apply(doc, "personal_data", "mark", personal_data.mark(doc, **params))
    return apply.apply(doc, "redact", "mend", redact.mend(doc))


def short(value: Any) -> str:
    return value["kind"] if isinstance(value, dict) else ascii(value)[:40]


def test_every_kind_has_five_writings_and_five_that_are_left() -> None:
    for kind in get_args(personal_data.Kind):
        of_kind = [case for case in CASES if case["kind"] == kind]
        assert sum(len(case["again"]) for case in of_kind) >= 5, kind
        assert sum(len(case["stays"]) for case in of_kind) >= 3, kind


@each_row(("case", "writing"), AGAIN, ids=short)
def test_a_value_told_once_is_masked_where_it_stands_again(case: dict[str, Any], writing: str) -> None:
    told, again = redacted(document(f"{case['told']}\n\n또 {writing} 하고 적혀 있다.")).text.split("\n\n또 ")
    names = (redact.NAMES[case["kind"]], "상세주소", "월일")
    assert any(f"{name}1]" in told and f"{name}1]" in again for name in names), (again, case["why"])
    left = "".join(word.partition("]")[2] for word in f"]{again}".split("["))
    assert sum(map(str.isdecimal, left)) <= 4, (again, case["why"])  # a year, a port


@each_row(("case", "text"), STAYS, ids=short)
def test_what_only_holds_the_letters_of_a_value_stays(case: dict[str, Any], text: str) -> None:
    values = [(s.kind.removeprefix("pii:"), s.value or "") for s in personal_data.mark(document(case["told"]))]
    assert case["kind"] in dict(values)
    assert repeats.find_repeats(f"아래: {text} 하고 적혀 있다.", values) == [], case["why"]


@each_row("case", CASES, ids=short)
def test_spans_of_repeats_never_overlap_and_hold_what_they_cover(case: dict[str, Any]) -> None:
    text = "🙂" + "\n".join((case["told"], *case["again"], *case["stays"], case["told"]))
    end = 0
    for span in personal_data.mark(document(text)):
        assert end <= span.start < span.end
        assert text[span.start : span.end] == span.value
        assert span.why and span.value and span.value not in span.why
        end = span.end


@pytest.mark.parametrize(
    ("text", "title", "masked"),
    [
        ("문의 02-000-1234", "T02-000-1234 안내", "T[전화번호1] 안내"),
        ("카톡 아이디 maru_7 입니다", "maru_7의 방", "[메신저1]의 방"),
        ("신청인 용덕수 010-0000-1234", "용덕수 님께", "[이름1] 님께"),
        ("비밀번호: Maru!dasom77", "새 암호 안내 (Maru!dasom77)", "새 암호 안내 ([비밀키1])"),
        ("여권번호 M00000017", "M00000017 분실", "[여권번호1] 분실"),
        ("문의 02-000-1234", "아무것도 없는 제목", "아무것도 없는 제목"),
    ],
)
def test_a_value_of_the_text_is_masked_in_the_title_with_the_same_number(text: str, title: str, masked: str) -> None:
    doc = redacted(document(text, title=title))
    assert doc.title == masked
    assert not any(note.reason.startswith("pii:") and note.outcome != "1" for note in doc.trail)


@pytest.mark.parametrize(
    ("title", "text", "masked"),
    [
        ("전화 02-000-1234", "품목 T02-000-1234", "품목 T[전화번호1]"),
        ("카톡 아이디 maru_7", "maru_7 님이 씀", "[메신저1] 님이 씀"),
        ("여권번호 M00000017 분실", "M00000017 을 찾습니다", "[여권번호1] 을 찾습니다"),
        ("카드번호 0000-0000-0000-0017", "0000000000000017 사용", "[카드번호1] 사용"),
        ("비밀번호: Maru!dasom77", "Maru!dasom77 로 여세요", "[비밀키1] 로 여세요"),
    ],
)
def test_a_value_of_the_title_or_the_author_is_masked_in_the_text(title: str, text: str, masked: str) -> None:
    assert redacted(document(text, title=title)).text == masked
    assert redacted(document(text, author=title)).text == masked


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://a.kr/u/maru_7", "https://a.kr/u/[메신저1]"),
        ("https://a.kr/u/MARU%5F7?x=1", "https://a.kr/u/[메신저1]?x=1"),
        ("https://a.kr/u?id=@maru_7&p=2", "https://a.kr/u?id=[메신저1]&p=2"),
        ("https://a.kr/u/maru_77", "https://a.kr/u/maru_77"),
        ("https://a.kr/%EA%B0%80", "https://a.kr/%EA%B0%80"),
    ],
)
def test_a_value_of_the_text_is_masked_in_the_address(url: str, masked: str) -> None:
    assert redacted(document("카톡 아이디 maru_7 입니다", url=url)).provenance.url == masked


def test_a_value_of_the_address_is_masked_in_the_text() -> None:
    doc = document("9f2c41d07ab84e6fb1c3 을 넣으세요", url="https://a.kr/p?token=9f2c41d07ab84e6fb1c3")
    assert redacted(doc).text == "[비밀값1] 을 넣으세요"


def test_the_name_of_an_author_stays_for_the_licence_that_asks_for_it() -> None:
    doc = redacted(document("신청인 용덕수 010-0000-1234", author="용덕수"))
    assert (doc.text, doc.author) == ("신청인 [이름1] [전화번호1]", "용덕수")


def test_what_is_done_beside_the_text_is_noted_and_not_counted_among_its_places() -> None:
    doc = redacted(document("문의 02-000-1234", title="T02-000-1234"))
    assert [(n.reason, n.outcome) for n in doc.trail if n.verb == "mend"] == [
        ("pii:phone", "1"),
        ("title:pii:phone", "1"),
    ]


def test_a_number_of_an_institution_that_a_recipe_keeps_is_kept_wherever_it_stands() -> None:
    text = "총무과 02-000-1234\nSE02-000-1234"
    assert redacted(document(text), keep_official=("desk-line",)).text == text


def test_a_kind_that_a_recipe_leaves_out_is_not_sought_again() -> None:
    text = "카톡 아이디 maru_7 입니다. maru_7"
    assert redacted(document(text), kinds=("phone",)).text == text


def test_a_placeholder_that_stands_in_a_title_keeps_its_number_to_itself() -> None:
    doc = redacted(document("[전화번호1] 또는 문의 02-000-9999"))
    assert doc.text == "[전화번호1] 또는 문의 [전화번호2]"


@pytest.mark.heavy
def test_repeats_take_time_linear_in_the_text() -> None:
    told = "카톡 아이디 maru_7 문의 02-000-1234 메일 hong77@example.kr "
    for unit in ("maru _ ", "02-000-", "hong77 ", "0 2 0 ", "공이공공 ", "m a r u _ ", "@", "이일이일 오사"):
        assert grows_with_the_text(lambda n, unit=unit: told + unit * (n // len(unit))), unit


def test_many_values_are_sought_in_bounded_time() -> None:
    text = "\n".join(f"카톡 아이디 maru_{i} 입니다" for i in range(3_000)) + "\nmaru_1 maru_2"
    assert len(repeats.find_repeats(text, [("messenger", f"maru_{i}") for i in range(3_000)])) >= 1_024
