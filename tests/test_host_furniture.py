"""What is learned of the pages of a host, and what a page loses by it."""

from __future__ import annotations

import random
import time

import pyarrow as pa
import pytest

from filters import host_furniture
from filters.host_furniture import SURVEY
from malmoi.document import Document, Edits, Provenance
from malmoi.survey import Rows

HEAD = "말모이신문\n홈 정치 경제 문화\n구독자 1,234명"
TAIL = "말모이신문 편집국\n대표전화 02-000-0000\n제호 말모이신문 등록번호 가00123"


def document(text: str, number: int = 0, host: str = "news.example") -> Document:
    url = f"https://{host}/{number}" if host else ""
    return Document(f"news/{host}/{number}", text, Provenance("news", url, "", "", ""))


def body(number: int) -> str:
    return (
        f"{number}번째 마을에 새 다리가 놓였다.\n\n예제\n"
        f"{chr(0xAC00 + number * 31)}교의 길이는 {number * 7} 미터이다.\n"
        f"주민 {chr(0xB098 + number * 17)} 씨는 이제 학교까지 십 분이면 간다고 말했다."
    )


def pages(count: int, head: str = HEAD, tail: str = TAIL, host: str = "news.example") -> list[Document]:
    return [document(f"{head}\n\n{body(n)}\n\n{tail}", n, host) for n in range(count)]


def learned(docs: list[Document], **params: float) -> Rows:
    sketches = pa.Table.from_pylist([SURVEY.sketch(doc) for doc in docs], schema=SURVEY.schema)
    return {row["host"]: row for row in SURVEY.reduce(sketches, **params).to_pylist()}


def applied(text: str, edits: Edits) -> str:
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def mended(doc: Document, rows: Rows) -> str:
    return applied(doc.text, host_furniture.mend(doc, survey=rows))


def test_what_every_page_begins_and_ends_with_goes_and_the_text_stays() -> None:
    docs = pages(30)
    rows = learned(docs)
    assert [mended(doc, rows) for doc in docs] == [body(n) for n in range(30)]
    assert [e.reason for e in host_furniture.mend(docs[3], survey=rows)] == ["host-head", "host-tail"]


def test_figures_in_a_line_may_differ_from_page_to_page() -> None:
    docs = [document(f"조회 {n * 13}번 읽힌 글\n{body(n)}", n) for n in range(20)]
    assert mended(docs[4], learned(docs)) == body(4)


def test_an_inner_heading_stays_however_often_it_stands() -> None:
    docs = pages(30)
    assert all("\n예제\n" in mended(doc, learned(docs)) for doc in docs)


def test_a_heading_behind_the_title_stays() -> None:
    docs = [document(f"{chr(0xAC00 + n * 40)} 함수\n구문\n{body(n)}\n참고 {chr(0xAC00 + n)}", n) for n in range(30)]
    assert [mended(doc, learned(docs)) for doc in docs] == [doc.text for doc in docs]


def test_a_formula_that_closes_most_laws_stays() -> None:
    docs = [document(f"{body(n)}\n이 법은 공포한 날부터 시행한다.", n, "law.example") for n in range(30)]
    assert learned(docs) == {}


def test_a_sentence_that_speaks_of_the_page_goes_where_nearly_all_pages_have_it() -> None:
    notice = "독자 여러분의 제보를 기다립니다."
    docs = [document(f"{body(n)}\n{notice}", n) for n in range(30)]
    assert mended(docs[0], learned(docs)) == body(0)
    few = [document(f"{body(n)}\n{notice}" if n % 3 else body(n), n) for n in range(30)]
    assert learned(few) == {}


def test_rows_of_figures_and_signs_are_learned_from_no_page() -> None:
    docs = [document(f"{n}\n12 34\n----\n{body(n)}\n| 1 | 2 |", n) for n in range(30)]
    assert learned(docs) == {}


def test_a_heading_that_is_near_the_edge_because_pages_are_short_is_not_learned() -> None:
    row = learned([document(f"{HEAD}\n{body(n)}", n) for n in range(30)])["news.example"]
    assert (len(row["head"]), row["tail"]) == (3, [])


def test_fenced_code_stays() -> None:
    docs = [document(f"```js\nlet begin\n```\n{body(n)}", n) for n in range(30)]
    rows = learned(docs)
    assert rows  # the line is learned, and yet
    assert mended(docs[0], rows) == docs[0].text


def test_a_page_that_is_mostly_furniture_is_left_whole() -> None:
    rows = learned(pages(30))
    short = document(f"{HEAD}\n짧다.\n{TAIL}")
    assert mended(short, rows) == short.text
    assert mended(document(f"{HEAD}\n{TAIL}"), rows) == f"{HEAD}\n{TAIL}"


def test_a_line_of_a_third_of_the_pages_goes_and_one_of_a_quarter_stays() -> None:
    def some(every: int) -> list[Document]:
        return [document(f"고을 소식지\n{body(n)}" if n % every == 0 else body(n), n) for n in range(40)]

    assert mended(some(3)[0], learned(some(3))) == body(0)
    assert learned(some(4)) == {}


def test_few_pages_teach_nothing() -> None:
    assert learned(pages(7)) == {}


def test_hosts_are_kept_apart_and_a_document_without_address_belongs_to_its_source() -> None:
    rows = learned([*pages(20), *pages(20, "다른 신문사", "다른 꼬리말", "other.example")])
    assert set(rows) == {"news.example", "other.example"}
    assert mended(document(f"말모이신문\n{body(1)}", 1, "other.example"), rows).startswith("말모이신문")
    assert host_furniture.host_of(document("", 1, "")) == "news"


def test_the_order_of_the_input_changes_nothing() -> None:
    docs = [*pages(40), *pages(25, "다른 신문사", "다른 꼬리말", "other.example")]
    shuffled = random.Random(3).sample(docs, len(docs))
    assert learned(docs, sample=16) == learned(shuffled, sample=16)


def test_a_few_new_pages_leave_the_table_as_it_was() -> None:
    docs = pages(300)
    new = [document(f"{HEAD}\n{body(n)}", n) for n in range(300, 303)]
    assert learned(docs) == learned([*docs, *new])


def test_a_page_that_was_mended_has_nothing_more_to_mend() -> None:
    docs = [*pages(20), document(f"{HEAD}\n{HEAD}\n\n{body(2)}{body(3)}\n{TAIL}\n\n{TAIL}", 99)]
    rows = learned(docs)
    for doc in docs:
        assert host_furniture.mend(document(mended(doc, rows)), survey=rows) == ()


@pytest.mark.parametrize("text", ["", "\n\n", " ", "말모이신문", "말모이신문\n", "\n말모이신문\n\n"])
def test_a_page_without_text_is_no_trouble(text: str) -> None:
    rows = learned(pages(20))
    assert mended(document(text), rows) == text
    assert SURVEY.sketch(document(text))["host"] == "news.example"


@pytest.mark.parametrize("url", ["https://[::1", "http://", "https:///x", "folder:a/b", "javascript:0", "\ud800"])
def test_an_address_that_is_none_gives_the_source(url: str) -> None:
    doc = Document("news/1", "글", Provenance("news", url, "", "", ""))
    assert host_furniture.host_of(doc) in ("news", "[")


def test_a_million_known_lines_take_no_long_time() -> None:
    rows = learned(pages(20))
    begun = time.process_time()
    host_furniture.mend(document("말모이신문\n" * 150_000), survey=rows)
    assert time.process_time() - begun < 4.0
