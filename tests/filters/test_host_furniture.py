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
from tests.builders.rows import each_row

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


def test_the_figures_of_a_counter_may_differ_beside_a_line_that_speaks_of_the_page() -> None:
    docs = [document(f"{body(n)}\n조회수 {n * 13}회\n독자 여러분의 제보를 기다립니다.", n) for n in range(40)]
    assert mended(docs[4], learned(docs)) == body(4)
    alone = [document(f"{body(n)}\n조회수 {n * 13}회", n) for n in range(40)]
    assert learned(alone) == {}


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
    docs = [document(f"```js\nlogin / 로그인\n```\n{body(n)}", n) for n in range(30)]
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
        return [document(f"고을 소식지 구독\n{body(n)}" if n % every == 0 else body(n), n) for n in range(120)]

    assert mended(some(3)[0], learned(some(3))) == body(0)
    assert learned(some(4)) == {}


def test_few_pages_teach_nothing() -> None:
    assert learned(pages(29)) == {}


def test_hosts_are_kept_apart() -> None:
    rows = learned([*pages(30), *pages(30, "다른 신문사 구독", "다른 꼬리말", "other.example")])
    assert set(rows) == {"news.example", "other.example"}
    assert mended(document(f"말모이신문\n{body(1)}", 1, "other.example"), rows).startswith("말모이신문")


def test_a_document_without_a_web_address_teaches_and_loses_nothing() -> None:
    files = pages(60, host="")
    assert learned(files) == {}
    assert mended(files[0], learned(pages(60))) == files[0].text


# Sites whose pages begin or end alike and hold nothing but text: a heading, a refrain, a field is of its page.
SITES = {
    "minutes": "제{n}회 가나시의회 임시회 회의록\n일시: 2024년 {m}월 {d}일(월) 10시\n장소: 본회의장\n의사일정\n{body}",
    "minutes of one name": "임시회 회의록\n장소: 본회의장\n참석: 의원 전원\n일시: 2024년 {m}월 {d}일\n{body}",
    "ruling": "주 문\n1. 피고는 원고에게 {n}00만 원을 지급하라.\n이 유\n{body}\n재판장 판사 김갑동",
    "question and answer": "질의\n{body}\n회신\n{body}",
    "question and answer of a service": "문의\n{body}\n답변\n{body}",
    "series": "조선왕조 이야기 제{n}화\n{body}",
    "statistics": "{y}년 {m}월 소비자 물가 동향\n{body}",
    "refrain": "{body}\n아리랑 아리랑 아라리요\n아리랑 고개로 나를 넘겨주게",
    "recipe": "재료\n두부 {n}모, 파 {d}대\n만드는 법\n{body}",
    "law": "제1조(목적)\n{body}\n부칙 <제{n}호, 2024. {m}. {d}.>\n이 조례는 공포한 날부터 시행한다.",
    "letter": "어머님께\n{body}\n큰아들 올림\n1987년 {m}월",
    "interview": "― 자기소개를 부탁드린다\n{body}\n― 앞으로의 계획은\n{body}",
    "entry": "낱말 {n}번\n{body}\n같이 보기\n출처: 국립국어원",
    "exam": "{n}. 다음 글을 읽고 물음에 답하시오\n{body}\n① 가 ② 나 ③ 다",
    "diary": "{m}월 {d}일 맑음\n{body}",
    "speech": "존경하는 국민 여러분\n{body}\n감사합니다",
    "sermon": "{body}\n아멘",
    "questions of a trade exam": "정보처리기사 필기\n{body}",
    "pastry": "쿠키 만들기\n재료\n{body}",
}


@each_row("shape", SITES.values(), ids=SITES)
def test_pages_that_are_of_one_form_lose_nothing_of_their_text(shape: str) -> None:
    docs = [
        document(shape.format(n=n + 20, m=n % 12 + 1, d=n % 28 + 1, y=1900 + n, body=body(n)), n) for n in range(180)
    ]
    rows = learned(docs)
    assert [mended(doc, rows) for doc in docs] == [doc.text for doc in docs]


def test_a_line_with_another_figure_on_each_page_stays_beside_furniture() -> None:
    docs = [document(f"{HEAD}\n제{n}회 회의록\n{body(n)}", n) for n in range(60)]
    assert mended(docs[5], learned(docs)) == f"제5회 회의록\n{body(5)}"


def test_the_sentence_of_a_licence_is_a_line_of_the_page() -> None:
    licence = "이 글은 크리에이티브 커먼즈 저작자표시 4.0 국제 라이선스에 따라 이용할 수 있습니다."
    docs = [document(f"{body(n)}\n{TAIL}\n{licence}", n) for n in range(60)]
    assert mended(docs[5], learned(docs)) == body(5)


def test_the_order_of_the_input_changes_nothing() -> None:
    docs = [*pages(40), *pages(35, "다른 신문사 구독", "다른 꼬리말", "other.example")]
    shuffled = random.Random(3).sample(docs, len(docs))
    assert learned(docs, sample=32) == learned(shuffled, sample=32)


def test_a_few_new_pages_leave_the_table_as_it_was() -> None:
    docs = pages(300)
    new = [document(f"{HEAD}\n{body(n)}", n) for n in range(300, 303)]
    assert learned(docs) == learned([*docs, *new])


def test_a_page_that_was_mended_has_nothing_more_to_mend() -> None:
    docs = [*pages(30), document(f"{HEAD}\n{HEAD}\n\n{body(2)}{body(3)}\n{TAIL}\n\n{TAIL}", 99)]
    rows = learned(docs)
    for doc in docs:
        assert host_furniture.mend(document(mended(doc, rows)), survey=rows) == ()


@pytest.mark.parametrize("text", ["", "\n\n", " ", "말모이신문", "말모이신문\n", "\n말모이신문\n\n"])
def test_a_page_without_text_is_no_trouble(text: str) -> None:
    rows = learned(pages(30))
    assert mended(document(text), rows) == text
    assert SURVEY.sketch(document(text))["host"] == "news.example"


@pytest.mark.parametrize("url", ["https://[::1", "http://", "https:///x", "folder:a/b", "javascript:0", "\ud800"])
def test_an_address_that_is_none_gives_no_host(url: str) -> None:
    doc = Document("news/1", "글", Provenance("news", url, "", "", ""))
    assert host_furniture.host_of(doc) in ("", "[")


def test_a_million_known_lines_take_no_long_time() -> None:
    rows = learned(pages(30))
    begun = time.process_time()
    host_furniture.mend(document("말모이신문\n" * 150_000), survey=rows)
    assert time.process_time() - begun < 4.0
