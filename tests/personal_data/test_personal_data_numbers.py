"""Identifiers made of digits: every kind, the ways they are written to be read or to be hidden, and their look-alikes.

The identifiers in tests/data/pii belong to nobody: impossible dates, births in years to come, regions, exchanges and
tax offices that do not exist.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from filters import personal_data, redact
from filters.personal_data import Kind
from malmoi.document import Document, Provenance, Span
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "pii"
NUMBERS: tuple[Kind, ...] = (
    "rrn",
    "frn",
    "passport",
    "driver_license",
    "phone",
    "brn",
    "crn",
    "account",
    "card",
    "health_insurance",
    "vehicle",
    "postcode",
    "ip",
    "mac",
)


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / f"numbers-{name}.jsonl").read_text("utf-8").splitlines()]


def marked(text: str, kinds: tuple[Kind, ...] = NUMBERS) -> tuple[Span, ...]:
    return personal_data.mark(Document("test/1", text, Provenance("test", "", "", "", "")), kinds=kinds)


def found(text: str) -> list[list[str]]:
    return [[span.kind.removeprefix("pii:"), span.value] for span in marked(text)]


def short(case: dict[str, Any]) -> str:
    return ascii(case["text"])[:60]


@each_row("case", cases("found"), ids=short)
def test_numbers_are_found_however_they_are_written(case: dict[str, Any]) -> None:
    assert found(case["text"]) == case["found"], case["why"]


@each_row("case", cases("left-alone"), ids=short)
def test_numbers_that_look_alike_are_left_alone(case: dict[str, Any]) -> None:
    assert found(case["text"]) == [], case["why"]


@each_row("case", cases("found"), ids=short)
def test_reasons_tell_label_and_form_and_never_the_number(case: dict[str, Any]) -> None:
    for span in marked(case["text"]):
        assert span.why
        assert span.value not in span.why


@each_row("kind", NUMBERS)
def test_every_kind_of_number_has_cases(kind: str) -> None:
    assert any(kind == wanted for case in cases("found") for wanted, _ in case["found"])


@each_row("behind", ["으로", "입니다", "이에요", ".", ",", "\n", ")", " 입니다", "(휴대폰)", "~"])
def test_what_stands_behind_a_number_does_not_hide_it(behind: str) -> None:
    assert found("010-0000-1234" + behind)[0][:1] == ["phone"]
    assert found("주민등록번호 991331-1234567" + behind)[0] == ["rrn", "991331-1234567"]


@each_row("mark", ["-", " ", ".", "–", "‑", "―", "−", "－", "·", " - ", "\u200b-", "\u00ad-", "\u00a0", "-\n"])
@each_row(
    ("label", "groups", "kind"),
    [
        ("주민등록번호", ("991331", "1234567"), "rrn"),
        ("휴대폰", ("010", "0000", "1234"), "phone"),
        ("운전면허번호", ("11", "00", "000000", "00"), "driver_license"),
        ("계좌번호", ("000", "000", "000000"), "account"),
        ("사업자등록번호", ("000", "00", "00001"), "brn"),
        ("카드번호", ("0000", "0000", "0000", "0001"), "card"),
    ],
)
def test_a_label_makes_every_mark_between_groups_good(
    label: str, groups: tuple[str, ...], kind: str, mark: str
) -> None:
    number = mark.join(groups)
    assert found(f"{label}: {number} 입니다") == [[kind, number]]


@pytest.mark.parametrize("text", ["문의 010-0000-1234", "여권번호 M000A1234", "차량번호 00가0000", "우편번호 00000"])
def test_wide_digits_are_digits(text: str) -> None:
    wide = text.translate({ord("0") + i: 0xFF10 + i for i in range(10)})
    assert [[span.kind, span.start, span.end] for span in marked(wide)] == [
        [span.kind, span.start, span.end] for span in marked(text)
    ]


def test_a_kind_that_was_not_asked_for_does_not_turn_into_another() -> None:
    assert marked("계좌번호 010-0000-1234", ("account",)) == ()


@each_row("case", cases("found"), ids=short)
def test_no_number_survives_its_redaction(case: dict[str, Any]) -> None:
    text = case["text"]
    doc = Document("test/1", text, Provenance("test", "", "", "", ""), spans=marked(text))
    for edit in reversed(redact.mend(doc)):
        text = text[: edit.start] + edit.text + text[edit.end :]
    assert not any(value in text for _, value in case["found"])
    assert found(text) == []


def test_the_head_of_a_column_counts_however_many_rows_are_between() -> None:
    rows = "".join(f"아무개,{n:010d}\n" for n in range(200))
    spans = marked("이름,계좌번호\n" + rows)
    assert {span.kind for span in spans} == {"pii:account"}
    assert len(spans) == 200


def test_the_head_of_another_table_does_not_count() -> None:
    between = "여기까지 표입니다. 다음 표에는 물건의 번호만 적습니다.\n"
    assert found(f"이름|건강보험증번호\n아무개|없음\n\n{between}\n물건|수량\n아무개|10000000000") == []


def test_a_label_far_away_does_not_count() -> None:
    far = "이 글은 그 번호와 아무 상관이 없는 이야기를 길게 늘어놓은 것이라 서른 글자가 넘는다 "
    assert found("운전면허번호 " + far + "110000000000") == []


@each_row("piece", ["12가3456 ", "공일공 ", "우편번호|", "1/", "010-\n", "앞자리 ", "(12345)", "2001:", "여권M1", "1 "])
def test_long_rows_of_halves_end(piece: str) -> None:
    assert len(marked(piece * 20_000)) <= 20_000
