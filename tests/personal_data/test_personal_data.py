"""Personal data: what is found, what is left alone, how it is replaced, and that it stays linear.

The identifiers in tests/data/pii belong to nobody: impossible dates, sex digits of people born
before 1900, 010-0000 and exchanges that begin with 0, issuers and tax offices that do not exist.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filters import personal_data, quarantine, redact
from filters.pii_rules import search
from filters.pii_rules.digit_runs import Window
from malmoi import apply
from malmoi.document import Document, Provenance, Span
from tests.builders.rows import each_row
from tests.builders.small_hostile import grows_with_the_text

HERE = Path(__file__).parents[1]
ROOT = HERE.parent


def cases(name: str) -> list[dict[str, Any]]:
    lines = (HERE / "data" / "pii" / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def document(text: str, spans: tuple[Span, ...] = ()) -> Document:
    return Document("test/1", text, Provenance("test", "", "", "", ""), spans=spans)


def redacted(text: str) -> str:
    edits = redact.mend(document(text, personal_data.mark(document(text))))
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def short(case: dict[str, Any]) -> str:
    return ascii(case["text"])[:60]


@each_row("case", cases("found"), ids=short)
def test_identifiers_with_label_or_canonical_form_are_found(case: dict[str, Any]) -> None:
    spans = personal_data.mark(document(case["text"]))
    assert [[s.kind.removeprefix("pii:"), s.value] for s in spans] == case["found"], case["why"]


@each_row("case", cases("left-alone"), ids=short)
def test_look_alikes_are_left_alone(case: dict[str, Any]) -> None:
    assert personal_data.mark(document(case["text"])) == (), case["why"]


@each_row("case", cases("found"), ids=short)
def test_spans_are_sorted_disjoint_explained_and_hold_what_they_cover(case: dict[str, Any]) -> None:
    text = "가🙂각\n" + case["text"] + "\n힣"  # code points of one, three and four bytes before
    end = 0
    for span in personal_data.mark(document(text)):
        assert end <= span.start < span.end
        assert text[span.start : span.end] == span.value
        assert 0 < span.confidence <= 1
        assert span.why
        assert span.value and span.value not in span.why
        end = span.end


@each_row("case", cases("found"), ids=short)
def test_nothing_found_survives_redaction(case: dict[str, Any]) -> None:
    after = redacted(case["text"])
    assert not any(value in after for _, value in case["found"])
    assert personal_data.mark(document(after)) == ()


def test_the_case_files_are_large_enough_to_mean_something() -> None:
    assert len(cases("found")) >= 150
    assert len(cases("left-alone")) >= 150


def test_only_the_kinds_asked_for_are_marked() -> None:
    text = "연락처 010-0000-1234, hong@example.kr"
    assert [s.kind for s in personal_data.mark(document(text), kinds=("email",))] == ["pii:email"]


def test_half_of_a_surrogate_pair_does_not_shift_the_spans() -> None:
    (span,) = personal_data.mark(document("\ud83d 010-0000-1234"))
    assert (span.start, span.value) == (2, "010-0000-1234")


def test_documents_in_a_batch_have_the_spans_that_they_have_alone() -> None:
    lines = (Path(__file__).parents[1] / "data" / "personal_data" / "tune.jsonl").read_text("utf-8").splitlines()
    docs = [document(json.loads(line)["text"]) for line in lines[::6]]
    titled = replace(document("홍길동 님께, 다시 홍길동"), title="환자 홍길동", author="성춘향 010-0000-0001")
    docs += [
        titled,
        document("\ud800 문의 010-0000-1234 \udfff 홍길동"),
        document(""),
    ]
    official: dict[str, Any] = {"keep_official": ("desk-line", "role-mailbox")}
    for options in ({}, official, {"kinds": ("phone",), **official}):
        alone = [personal_data.mark(doc, **options) for doc in docs]
        assert personal_data.mark_batch(docs, **options) == alone
        assert sum(map(len, alone)) > 40
    assert personal_data.mark_batch([]) == []


def test_equal_values_get_equal_numbers_whatever_their_separators() -> None:
    text = "010-0000-1234, 010-0000-5678, 01000001234, +82 10-0000-1234, A@example.kr, a@example.kr"
    assert redacted(text) == "[전화번호1], [전화번호2], [전화번호1], [전화번호1], [이메일1], [이메일1]"


def test_each_kind_has_its_own_placeholder_and_its_own_count() -> None:
    text = (
        "주민등록번호 991331-1234567 외국인등록번호 991331-5234567 카드번호 0000-0000-0000-0001 "
        "계좌번호 000-00-000000 사업자등록번호 000-00-00001"
    )
    assert redacted(text) == (
        "주민등록번호 [주민등록번호1] 외국인등록번호 [외국인등록번호1] 카드번호 [카드번호1] "
        "계좌번호 [계좌번호1] 사업자등록번호 [사업자등록번호1]"
    )


def test_overlapping_spans_become_one_edit_and_other_marks_are_not_redacted() -> None:
    spans = (Span(4, 9, "pii:email"), Span(0, 6, "pii:phone"), Span(9, 12, "lemma"))
    edits = redact.mend(document("abcdefghijkl", spans))
    assert [(e.start, e.end, e.text, e.reason) for e in edits] == [(0, 9, "[전화번호1]", "pii:phone")]


def test_a_kind_without_a_name_is_redacted_all_the_same() -> None:
    (edit,) = redact.mend(document("abc", (Span(0, 3, "pii:unheard-of"),)))
    assert (edit.text, edit.reason) == ("[개인정보1]", "pii:unheard-of")


def test_what_was_found_leaves_the_document_with_its_value() -> None:
    doc = document("연락처 010-0000-1234, hong@example.kr로")
    doc = apply.apply(doc, "personal_data", "mark", personal_data.mark(doc))
    doc = apply.apply(doc, "redact", "mend", redact.mend(doc))
    assert doc.text == "연락처 [전화번호1], [이메일1]로"
    assert doc.spans == ()


def test_a_document_with_a_resident_number_is_dropped_with_the_count() -> None:
    text = "주민등록번호 991331-1234567, 외국인등록번호 991331-5234567, 010-0000-1234"
    doc = document(text, personal_data.mark(document(text)))
    verdict = quarantine.judge(doc)
    assert (verdict.outcome, verdict.reason, verdict.measured, verdict.limit) == ("drop", "resident-number", 2, 0)
    assert quarantine.judge(document("본문")).outcome == "keep"


def test_resident_numbers_may_be_allowed_for_training_only_and_never_for_redistribution() -> None:
    text = "주민등록번호 991331-1234567, 외국인등록번호 991331-5234567"
    doc = document(text, personal_data.mark(document(text)))
    for use, outcome in (("redistribute", "drop"), ("train-only", "keep"), ("", "drop")):
        used = replace(doc, labels=(("use", use),) if use else ())
        assert quarantine.judge(used, max_resident_numbers=2).outcome == outcome
        assert quarantine.judge(used).outcome == "drop"


@pytest.mark.parametrize(
    "change",
    [
        {"title": "주민등록번호 991331-1234567 확인"},
        {"author": "홍길동 (990131-1234567)"},
        {"provenance": Provenance("test", "https://a.kr/?rrn=990131%2D1234567", "", "", "")},
        {"provenance": Provenance("test", "https://a.kr/990131%252D1234567.html", "", "", "")},
    ],
    ids=("title", "author", "url", "escaped twice"),
)
def test_a_resident_number_beside_the_text_drops_the_document_too(change: dict[str, Any]) -> None:
    verdict = quarantine.judge(replace(document("본문"), **change))
    assert (verdict.outcome, verdict.reason, verdict.measured) == ("drop", "resident-number", 1)


@each_row(
    "key",
    [
        "members/hong@example.kr",
        "members/hong%40example.kr",
        "members/hong%2540example.kr",
        "https://a.kr/u?tel=010-0000-1234",
        "https://a.kr/u?tel=010+0000+1234&x=1",
        "https://a.kr/u?memo=%C0%FC%C8%AD+02%2D000%2D1234",
        "https://hong:word99x@a.kr/u",
        "https://a.kr/u;jsessionid=0A1B7C3D4E5F6G7H8K9J",
        "https://a.kr/u?access_token=a1b2c3d4e5f6g7h8k2",
        "https://010-0000-1234.a.kr/",
    ],
)
def test_a_document_whose_id_carries_personal_data_is_dropped(key: str) -> None:
    verdict = quarantine.judge(replace(document("본문"), id=f"test/{key}"))
    assert (verdict.outcome, verdict.reason) == ("drop", "personal-data-in-id")


@each_row(
    "key",
    [
        "1",
        "law/ordinance.html",
        "https://a.kr/news/view.do?newsId=148912345&page=2",
        "https://a.kr/2024/01/02/000123456789.html",
        "https://192.0.2.1:8080/board/view?no=20240102123456",
        "%EB%8C%80%ED%95%9C%EB%AF%BC%EA%B5%AD",
        "ISBN/9788900000000",
        "repository/docs/v1.2.3.4/index.md",
        "홍길동",
        "2024다12345",
        "011301-202401020001",
    ],
)
def test_ordinary_keys_and_addresses_are_kept(key: str) -> None:
    assert quarantine.judge(replace(document("본문"), id=f"test/{key}")).outcome == "keep"


HOSTILE = {
    "domain without an end": lambda n: "a@" + "a-" * n,
    "at signs": lambda n: "a@" * n,
    "addresses cut short": lambda n: "a@b." * n,
    "dots": lambda n: "a@b.kr" + ".a" * n,
    "digits": lambda n: "1" * (2 * n),
    "full-width digits": lambda n: "１" * n,
    "digits and blanks": lambda n: "1 " * n,
    "digits and hyphens": lambda n: "010-" * n,
    "digits and zero-width marks": lambda n: "1\u200b" * n,
    "groups of six and seven": lambda n: "991331-1234567-" * (n // 8),
    "masks": lambda n: "991331-1" + "*" * n,
    "nearly masked": lambda n: "9913311" * n,
    "labels": lambda n: "주민등록번호" * n,
    "telephones": lambda n: "010 0000 1234 " * (n // 8),
    "telephones in one run": lambda n: "010-0000-1234 " * (n // 8),
    "telephones in one chain": lambda n: "010-0000-1234-" * (n // 8),
    "accounts in one run": lambda n: "계좌" + "000-00-000000 " * (n // 8),
    "addresses": lambda n: "a@b.kr " * (n // 8),
    "labels of forms": lambda n: "성명: 생년월일 주소 " * (n // 8),
    "a label and blanks": lambda n: "생일" + " " * n,
    "regions without a street": lambda n: "주소 " + "서울 없는구 " * (n // 8),
    "addresses of houses": lambda n: "주소: 부산 없는구 없는로 9, 9층 " * (n // 16),
    "numbers in words": lambda n: "주민번호 " + "공일이삼 다시 " * (n // 8),
    "numbers over cells": lambda n: "카드번호 | " + "0000 | " * (n // 8),
    "numbers over lines": lambda n: "010\n0000\n" * (n // 8),
    "local parts over lines": lambda n: "a.b-\n" * (n // 4),
    "misread numbers": lambda n: "주민번호 O9l331-1O34567 " * (n // 16),
    "Hangul before an at sign": lambda n: "가" * n + "@",
}


@pytest.mark.heavy
@each_row("name", HOSTILE)
def test_eight_times_the_hostile_text_takes_about_eight_times_as_long(name: str) -> None:
    assert grows_with_the_text(HOSTILE[name])


def test_a_million_digits_are_left_alone() -> None:
    assert personal_data.mark(document("1" * 1_000_000)) == ()


def test_text_from_outside_meets_only_linear_expressions() -> None:
    files = [ROOT / "filters" / "personal_data.py", *sorted((ROOT / "filters" / "pii_rules").rglob("*.py"))]
    lines = [line.strip() for path in files for line in path.read_text("utf-8").splitlines()]
    assert not [
        line for line in lines if line.startswith(("import re ", "from re ", "import regex")) or line == "import re"
    ]


def test_in_a_long_row_of_groups_no_window_is_looked_at_that_a_dash_ties_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    monkeypatch.setattr(search, "Window", lambda *args: seen.append(args) or Window(*args))
    row = "-".join(f"{n % 10_000:04d}" for n in range(1, 4000))
    found = personal_data.mark(document(f"{row} 문의 010-0000-1234"))
    assert [span.value for span in found] == ["010-0000-1234"]
    assert len(seen) < 80
