"""What becomes of what was found: actions by kind, surrogates that belong to nobody, and what institutions keep."""

from __future__ import annotations

import ipaddress
import json
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from filters import personal_data, redact
from filters.pii_rules import institutions, number_checks
from filters.pii_rules.candidate import Candidate
from filters.pii_rules.institutions import Official
from filters.pii_rules.search import read_example
from malmoi import recipe as recipes
from malmoi.apply import apply
from malmoi.document import Document, Provenance, Span
from tests.builders.rows import each_row

HERE = Path(__file__).parents[1]
GENERAL = HERE.parent / "flows" / "recipes" / "general.toml"
EVERYTHING: tuple[Official, ...] = get_args(Official)


def document(text: str, spans: tuple[Span, ...] = ()) -> Document:
    return Document("test/1", text, Provenance("test", "", "", "", ""), spans=spans)


def redacted(text: str, **actions: str) -> str:
    doc = document(text)
    doc = apply(doc, "personal_data", "mark", personal_data.mark(doc))
    return apply(doc, "redact", "mend", redact.mend(doc, actions=tuple(sorted(actions.items())))).text  # type: ignore[arg-type]


def marked(text: str, kinds: tuple[str, ...], keep: tuple[Official, ...] = ()) -> list[tuple[str, str]]:
    found = personal_data.mark(document(text), kinds=kinds, keep_official=keep)  # type: ignore[arg-type]
    return [(s.kind.removeprefix("pii:"), s.value or "") for s in found]


def test_every_kind_that_is_marked_has_a_placeholder_and_may_have_an_action() -> None:
    assert set(redact.NAMES) == set(personal_data.DEFAULT_KINDS)
    assert set(redact.RESERVED) | set(redact.GENERAL) <= set(redact.NAMES)


LINE = (
    "홍길동 010-0000-1234, 이메일 hong@example.kr, 접속 ip 1.255.10.20, 카드번호 0000-0000-0000-0001, "
    "사업자번호 000-12-00000"
)


def test_a_surrogate_has_the_form_of_what_it_replaces() -> None:
    every = dict.fromkeys(redact.RESERVED, "surrogate")
    assert redacted(LINE, **every) == (
        "[이름1] 010-0000-0001, 이메일 user1@example.com, 접속 ip 192.0.2.1, 카드번호 0000-0000-0001-0000, "
        "사업자번호 000-00-00016"
    )
    assert redacted("주민번호 991331-1234567, 외국인등록번호 991331-5234567", **every) == (
        "주민번호 000000-0000001, 외국인등록번호 000000-5000001"
    )
    assert redacted("접속 2001:2d8:0:1::9d, 단말 mac 02:00:00:aa:bb:cc", **every) == (
        "접속 2001:db8::1, 단말 mac 00-00-5E-00-53-01"
    )


def test_equal_values_get_equal_surrogates_and_different_ones_different() -> None:
    text = "010-0000-1234, 010-0000-5678, 01000001234, +82 10-0000-1234, A@example.kr, a@example.kr, b@example.kr"
    assert redacted(text, phone="surrogate", email="surrogate") == (
        "010-0000-0001, 010-0000-0002, 010-0000-0001, 010-0000-0001, "
        "user1@example.com, user1@example.com, user2@example.com"
    )


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("010-0000-1234 010-0000-0001", "phone", "010-0000-0002 010-0000-0003"),
        ("010-0000-1234 (보기: ０１０ ００００ ０００１)", "phone", "010-0000-0002 (보기: 010-0000-0003)"),
        ("홍@example.kr user1@example.com", "email", "user2@example.com user1@example.com"),
        ("홍@example.kr USER1＠example.com", "email", "user2@example.com USER1＠example.com"),
        ("ip 1.255.10.20과 보기 192.0.2.1", "ip", "ip 192.0.2.2과 보기 192.0.2.1"),
    ],
)
def test_no_surrogate_equals_a_value_that_stands_in_the_text(text: str, kind: str, wanted: str) -> None:
    assert redacted(text, **{kind: "surrogate"}) == wanted


@each_row("kind", redact.RESERVED)
def test_a_range_that_is_used_up_goes_on_with_placeholders(kind: str) -> None:
    writer = redact.Surrogates("")
    given = [writer.find_surrogate(kind, str(n)) for n in range(1001)]
    named = [one for one in given if one]
    assert len(set(named)) == len(named)
    assert kind not in ("phone", "ip", "mac") or given[-1] == ""
    many = " ".join(f"010-0001-{n:04d}" for n in range(1000))
    assert redacted(many, phone="surrogate").endswith("010-0000-0999 [전화번호1000]")


@pytest.mark.parametrize("number", [1, 7, 99, 254])
def test_surrogates_belong_to_nobody(number: int) -> None:
    def of(kind: str, value: str = "1") -> str:
        writer = redact.Surrogates("")
        return [writer.find_surrogate(kind, f"{value}{n}") for n in range(number)][-1]

    for kind in ("rrn", "frn"):
        digits = of(kind).replace("-", "")
        assert len(digits) == 13
        assert not number_checks.is_birth_date(digits[:7])
    assert not number_checks.has_valid_business_checksum(of("brn").replace("-", ""))
    assert of("brn").startswith("000-")
    assert of("card").startswith("0000-0000-")
    assert of("phone").startswith("010-0000-0")
    assert of("email").endswith("@example.com")
    assert ipaddress.ip_address(of("ip")).is_reserved or not ipaddress.ip_address(of("ip")).is_global
    assert not ipaddress.ip_address(of("ip", "::")).is_global
    assert of("mac").startswith("00-00-5E-00-53-")


@each_row(
    ("text", "wanted"),
    [
        ("주소: 부산 해운대구 없는로 9, 1동 203호", "주소: 부산 해운대구 [상세주소1]"),
        ("주소: 경기도 수원시 영통구 없는동 9번지에 산다", "주소: 경기도 수원시 영통구 없는동 [상세주소1]에 산다"),
        ("주소: 없는로 9", "주소: [주소1]"),
        ("서울 강남구 없는로 9, 서울 강남구 없는로 9", "서울 강남구 [상세주소1], 서울 강남구 [상세주소1]"),
        ("서울 강남구 없는로 9, 서울 강남구 없는로 8", "서울 강남구 [상세주소1], 서울 강남구 [상세주소2]"),
        ("없는아파트 101동 1203호", "[주소1]"),
        ("생년월일: 1991년 3월 32일", "생년월일: 1991년 [월일1]"),
        ("생년월일 910332", "생년월일 91년 [월일1]"),
        ("생년월일: 19910332", "생년월일: 1991년 [월일1]"),
        ("나는 1991. 3. 2.생이다", "나는 1991년 [월일1]이다"),
        ("DOB: March 2, 1991", "DOB: 1991년 [월일1]"),
    ],
)
def test_of_addresses_the_region_stays_and_of_births_the_year(text: str, wanted: str) -> None:
    assert redacted(text) == wanted
    assert personal_data.mark(document(wanted)) == ()


def test_a_recipe_may_mask_the_whole_address_and_keep_a_kind() -> None:
    text = "주소: 부산 해운대구 없는로 9, 생년월일: 1991년 3월 32일, 법인등록번호 110111-0000000"
    assert redacted(text, address="placeholder", birth_date="keep", crn="keep") == (
        "주소: [주소1], 생년월일: 1991년 3월 32일, 법인등록번호 110111-0000000"
    )


def test_a_kept_kind_does_not_hide_what_overlaps_it() -> None:
    spans = (Span(0, 6, "pii:crn"), Span(4, 9, "pii:phone"))
    (edit,) = redact.mend(document("abcdefghijkl", spans), actions=(("crn", "keep"),))
    assert (edit.start, edit.end, edit.text) == (4, 9, "[전화번호1]")


def test_values_that_overlap_are_never_generalised() -> None:
    text = "부산 해운대구 없는로 9 010-0000-1234"
    spans = (Span(0, 20, "pii:address"), Span(15, 28, "pii:phone"))
    (edit,) = redact.mend(document(text, spans))
    assert (edit.start, edit.end, edit.text) == (0, 28, "[주소1]")


def test_equal_texts_give_equal_bytes_whatever_came_before() -> None:
    every = dict.fromkeys(redact.RESERVED, "surrogate")
    first = redacted(LINE, **every)
    redacted(LINE.replace("1234", "4321"), **every)
    assert redacted(LINE, **every) == first


@pytest.mark.heavy
@each_row("kind", redact.RESERVED)
def test_surrogates_take_time_in_proportion_to_the_text(kind: str) -> None:
    shape = {
        "phone": "010-0000-{:04d} ",
        "email": "user{}@example.com ",
        "ip": "192.0.2.{} ",
        "mac": "00005E0053{:02x} ",
    }

    def seconds(n: int) -> float:
        text = "".join(shape.get(kind, "000000-{:07d} ").format(i % 999) for i in range(n))
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            writer = redact.Surrogates(text)
            for i in range(n):
                writer.find_surrogate(kind, str(i))
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(1_000), seconds(8_000)
    assert large <= 24 * small + 0.05


def cases() -> list[dict[str, Any]]:
    lines = (HERE / "data" / "pii" / "official.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@each_row("case", cases(), ids=lambda c: ascii(c["text"])[:60])
def test_what_belongs_to_an_institution_is_told_from_what_belongs_to_a_person(case: dict[str, Any]) -> None:
    kinds = ("phone", "email", "brn", "crn", "address")
    everything, kept = marked(case["text"], kinds), [tuple(one) for one in case["official"]]
    left = marked(case["text"], kinds, EVERYTHING)
    assert [one for one in everything if one not in left] == kept, case["why"]
    assert [one for one in everything if one not in kept] == left, case["why"]


def _examples(field: str) -> list[tuple[str, str, str]]:
    rows = (row for of_kind in institutions.read_rows().values() for row, _ in of_kind)
    return [(row.kind, row.official, e) for row in rows for e in getattr(row, field)]


@each_row(("kind", "official", "example"), _examples("found"))
def test_a_row_of_the_table_keeps_its_examples(kind: str, official: Official, example: str) -> None:
    text, places = read_example(example)
    everything = personal_data.mark(document(text))
    left = personal_data.mark(document(text), keep_official=EVERYTHING)
    kept = [s for s in everything if s not in left]
    assert [(s.start, s.end) for s in kept] == places
    assert any(s.kind == f"pii:{kind}" for s in kept)
    assert len(personal_data.mark(document(text), keep_official=(official,))) < len(everything)


@each_row(("kind", "official", "example"), _examples("left_alone"))
def test_a_row_of_the_table_leaves_its_counter_examples_masked(kind: str, official: Official, example: str) -> None:
    found = personal_data.mark(document(example))
    assert f"pii:{kind}" in [s.kind for s in found]
    assert personal_data.mark(document(example), keep_official=EVERYTHING) == found


@pytest.mark.parametrize(
    ("number", "whose"),
    [("공이-공공공-일이삼사", "spelled"), ("010-0000-1234", "mobile"), ("000-1234", "no area code")],
)
def test_only_a_land_line_in_digits_with_its_area_code_belongs_to_a_desk(number: str, whose: str) -> None:
    text = f"총무과 {number}"
    assert not institutions.is_land_line(Candidate(text, 4, len(text))), whose


def test_the_recipe_that_is_shipped_keeps_what_belongs_to_an_institution() -> None:
    steps = {step.filter: dict(step.params) for step in recipes.load(GENERAL).stage("judged")}
    assert steps["personal_data"]["keep_official"] == EVERYTHING


def test_all_of_it_is_masked_unless_a_recipe_says_otherwise_and_why_says_what_it_is() -> None:
    text = "총무과 02-000-1234, info@example.kr, 사업자등록번호 000-81-00000"
    why = [s.why.rpartition("; ")[2] for s in personal_data.mark(document(text))]
    assert why == ["desk line of an institution", "mailbox of a role", "number of a company"]
    assert marked(text, ("phone", "email"), ("role-mailbox",)) == [("phone", "02-000-1234")]


def test_a_name_in_the_line_is_seen_even_where_names_are_not_replaced() -> None:
    assert marked("총무과 02-000-1234 (홍길동)", ("phone",), EVERYTHING) == [("phone", "02-000-1234")]


@pytest.mark.heavy
def test_the_official_part_takes_time_in_proportion_to_the_text() -> None:
    def seconds(n: int) -> float:
        doc = document("총무과 홍길동 02-000-1234 info@example.kr 본사 부산 해운대구 없는로 9 " * n)
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            personal_data.mark(doc, keep_official=EVERYTHING)
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(200), seconds(1_600)
    assert large <= 24 * small + 0.05


def test_the_recipe_of_the_docs_is_one(tmp_path: Path) -> None:
    page = (HERE.parent / "docs" / "personal-data.md").read_text(encoding="utf-8")
    shown = page.partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "t.toml"
    path.write_text(f'name = "t"\npurpose = "p"\n[[clean]]\nfilter = "rights"\n{shown}', encoding="utf-8")
    loaded = recipes.load(path)
    steps = (*loaded.stage("judged"), *loaded.stage("curated"))
    assert dict(steps[0].params)["keep_official"] == ("desk-line", "role-mailbox")
    assert dict(dict(steps[2].params)["actions"]) == {
        "address": "placeholder",
        "crn": "keep",
        "email": "surrogate",
        "phone": "surrogate",
    }
    (_, _, bound) = recipes.bind(steps)
    doc = document("문의 010-0000-1234", (Span(3, 16, "pii:phone"),))
    assert apply(doc, bound.name, bound.verb, bound.call(doc)).text == "문의 010-0000-0001"


def test_the_docs_name_every_action_surrogate_and_official_part() -> None:
    page = (HERE.parent / "docs" / "personal-data.md").read_text(encoding="utf-8")
    for name in (*get_args(redact.Action), *redact.RESERVED, *EVERYTHING):
        assert f"`{name}`" in page, f"docs do not name {name}"
