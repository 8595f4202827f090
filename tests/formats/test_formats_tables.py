"""Rows become items with keys, dates and licences of their own."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from crawlers import tables
from malmoi.archive.capture import Capture
from malmoi.errors import CaptureError, TableError
from tests.builders.rows import each_row

CASES = tomllib.loads((Path(__file__).parents[1] / "data" / "formats" / "tables.toml").read_text(encoding="utf-8"))


def capture(name: str, body: bytes, media: str = "") -> Capture:
    headers = (("Content-Type", media),) if media else ()
    return Capture("urn:r", f"https://a.example/data/{name}", "2026-11-24T09:00:00Z", 200, headers, body)


@each_row("case", CASES["good"], ids=lambda case: case["why"])
def test_rows_become_items(case: dict[str, Any]) -> None:
    found = list(tables.rows(capture(case["name"], case["body"].encode()), **case.get("columns", {})))
    assert [{field: getattr(row, field) for field in want} for row, want in zip(found, case["rows"], strict=True)] == (
        case["rows"]
    )


@each_row("case", CASES["bad"], ids=lambda case: case["why"])
def test_a_broken_table_says_what_where_and_what_to_do(case: dict[str, Any]) -> None:
    with pytest.raises(CaptureError) as failure:
        list(tables.rows(capture(case["name"], case["body"].encode()), **case.get("columns", {})))
    for words in case["says"]:
        assert words in str(failure.value)


def test_the_address_of_a_row_has_a_fragment_and_its_record_is_the_file() -> None:
    row = next(tables.rows(capture("a.csv", b"id,text\nx y,1\n")))
    assert (row.url, row.record) == ("https://a.example/data/a.csv#x%20y", "urn:r")


def test_keys_begin_with_the_name_that_is_given() -> None:
    assert next(tables.rows(capture("a.csv", b"text,b\n1,2\n"), name="data/a.csv")).key == "data/a.csv#1"


def test_a_table_in_cp949_is_read_like_any_other() -> None:
    row = next(tables.rows(capture("a.csv", "제목,본문\n펲,가나다\n".encode("cp949"), "text/csv; charset=EUC-KR")))
    assert (row.title, row.body) == ("펲", "가나다")


def test_a_field_may_be_longer_than_the_limit_of_the_csv_module() -> None:
    row = next(tables.rows(capture("a.csv", ("text,b\n" + "가" * 200_000 + ",1\n").encode())))
    assert len(row.body) == 200_000


def test_a_licence_in_a_row_is_evidence_for_that_row() -> None:
    body = "text,공공누리유형\n하나,제1유형\n둘,\n셋,제9유형\n넷,1\n".encode()
    first, second, third, fourth = (row.evidence for row in tables.rows(capture("a.csv", body)))
    assert [(e.licence, e.kind, e.scope, e.quote, e.place, e.record) for e in first] == [
        ("LicenseRef-KOGL-1", "field", "item", "제1유형", "공공누리유형", "urn:r")
    ]
    assert second == ()
    assert [(e.licence, e.quote) for e in fourth] == [("LicenseRef-KOGL-1", "1")]
    # A row that states something we do not know must not fall under the claim of its source.
    assert [(e.licence, e.kind) for e in third] == [("unknown", "field")]


def test_a_row_carries_the_headers_of_its_file_so_that_an_opt_out_reaches_it() -> None:
    headers = (("Content-Type", "text/csv"), ("TDM-Reservation", "1"))
    found = Capture("urn:r", "https://a.example/a.csv", "2026-11-24T09:00:00Z", 200, headers, b"text,b\n1,2\n3,4\n")
    assert [row.headers for row in tables.rows(found)] == [headers, headers]


def test_titles_and_authors_lose_markup_like_texts() -> None:
    row = next(tables.rows(capture("a.csv", "title,author,text\n&lt;세정&gt;<br/>둘째,김&amp;이,본문\n".encode())))
    assert (row.title, row.author) == ("<세정> 둘째", "김&이")


def as_json(value: object) -> Capture:
    return capture("a.json", json.dumps(value, ensure_ascii=False).encode())


def test_rows_of_json_lie_inside_the_envelope_of_an_interface():
    one = {"번호": 1, "본문": "가나다"}
    shapes = (
        {"response": {"header": {"resultCode": "00"}, "body": {"items": {"item": [one]}, "totalCount": 1}}},
        {"response": {"header": {"resultCode": "00"}, "body": {"items": {"item": one}, "totalCount": 1}}},
        {"body": {"items": [one]}},
        [one],
        one,
    )
    for shape in shapes:
        for named in ({}, {"text": "본문"}):
            (item,) = tables.rows(as_json(shape), **named)
            assert (item.key, item.body) == ("a.json#1", "가나다"), shape
    with_comments = {"본문": "글", "댓글": [{"내용": "좋다"}]}
    assert [one.body for one in tables.rows(as_json(with_comments))] == ["글"]
    licensed = {"이용허락범위": "공공누리 제1유형", "결과": {"목록": [one]}}
    (item,) = tables.rows(as_json(licensed))
    assert [proof.licence for proof in item.evidence] == ["LicenseRef-KOGL-1"]


def test_an_envelope_without_a_list_is_no_table():
    for shape in ({"items": ""}, {"a": {"b": 1}}):
        with pytest.raises(TableError, match="no column is called"):
            list(tables.rows(as_json(shape)))


ROW, FACET = {"번호": "r1", "본문": "가", "제목": "갑"}, {"name": "이용조건", "toggle_url": "http://a"}
SHAPES = [  # JSON, arguments, texts or words of the error
    ({"rows": [ROW], "suggested_facets": [FACET]}, {"text": "본문"}, ["가"]),
    ({"suggested_facets": [FACET], "rows": [ROW]}, {}, ["가"]),
    ({"meta": [FACET], "data": {"rows": [FACET | ROW, FACET]}}, {"text": "본문"}, ["가", ""]),
    ({"a": {"목록": [ROW]}, "b": {"목록": [{"본문": "나"}]}}, {"text": "본문", "key": "번호"}, ["가"]),
    ({"items": [ROW], "more": {"items": [{"본문": "나"}]}}, {}, ["가"]),  # the outermost
    ({"a": {"목록": [ROW]}, "b": {"목록": [ROW]}}, {}, ["2 lists have", r"a\.목록 \(번호", r"b\.목록", "at='<path>'"]),
    (
        {"rows": [{"내용물": "가"}] * 50, "facets": [FACET]},
        {"text": "본문"},
        ["no lists have the columns", "rows"],
    ),
    ({"a": {"목록": [ROW]}, "b": {"목록": [ROW | {"본문": "나"}]}}, {"at": "b.목록"}, ["나"]),
    ({"a": {"b": {"c": ROW}}, "rows": [ROW, ROW]}, {"at": "a.b.c"}, ["가"]),
    ({"rows": [], "facets": [FACET]}, {"at": "rows", "text": "본문"}, []),
    ({"items": "", "total": 0}, {"at": "items"}, []),
    ({"rows": [ROW], "facets": [FACET]}, {"at": "row"}, [r"no list at 'row'\. Found: rows \(번호"]),
    ({"rows": [ROW], "facets": [FACET]}, {"at": "facets", "text": "본문"}, ["there is no column '본문'"]),
    ([ROW], {"at": "rows"}, ["not rows"]),
    ({"본문": [ROW], "links": [FACET]}, {"text": "본문"}, ["가"]),  # the name of the list is that of its column
    ([{"count": 2}, {"목록": [ROW, ROW | {"번호": "r2"}]}], {"text": "본문"}, ["가", "가"]),
]


@each_row(("shape", "named", "expected"), SHAPES)
def test_among_several_lists_the_one_with_the_named_columns_counts(shape, named, expected):
    if expected and len(expected[0]) > 2:
        for words in expected:
            with pytest.raises(TableError, match=words):
                list(tables.rows(as_json(shape), **named))
    else:
        assert [one.body for one in tables.rows(as_json(shape), **named)] == expected


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        ({"rows": [{"내용물": "가"}] * 50, "facets": [FACET]}, 50),
        ({"rows": [{"내용물": "가"}] * 50}, 50),
        ({"rows": [{"본문": "가", "no": 1}] * 40}, 40),  # they share a key
        ([{"본문": "가", "no": n} for n in range(9)] + [7, 8], 2),
    ],
)
def test_an_error_says_how_many_rows_it_costs(body, lost):
    with pytest.raises(TableError) as error:
        list(tables.rows(as_json(body), text="본문", key="no"))
    assert error.value.rows == lost


@each_row(
    ("media", "body", "count"),
    [
        ("", b'{"rows": [{"a": 1}, {"a": 2}], "facets": [{"b": 1}]}', 2),
        ("", b"<L><totalCnt>9</totalCnt><law/><law/><law/></L>", 3),
        ("text/csv", b"a,b\n1,2\n", 2),
        ("", b'{"rows": []}', 0),
        ("", b"<html><body><p>x</p><p>y</p></body></html>", 0),
        ("", b'{"rows": [', 0),
        ("", b"[" * 100_000, 0),
        ("", b"", 0),
    ],
)
def test_the_rows_of_any_answer_can_be_counted(media, body, count):
    assert tables.count_rows(capture("x", body, media)) == count
