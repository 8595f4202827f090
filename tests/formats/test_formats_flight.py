"""Pages of Next.js whose article is a row of flight data, in chunks that end anywhere."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Sequence

import pytest

from crawlers.formats.html import html_page
from crawlers.formats.html.script_data import nextjs_flight
from malmoi.source import Item

SENTENCES = (
    "마을 도서관은 지난봄부터 낡은 낱말 카드를 다시 읽고 있다.",
    "카드 한 장에는 말 하나와 그 말을 들은 곳이 적혀 있다 🐣.",
    "사서는 카드를 상자에서 꺼내 햇볕에 말린 뒤 한 글자씩 옮긴다.",
    "옮긴 글은 저녁마다 이웃이 돌려 읽고 틀린 데를 고친다.",
    "올가을에는 카드 천 장을 묶은 작은 책이 나온다.",
)
ARTICLE = "\n\n".join(SENTENCES)
MARKUP = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
TERMS = "이 누리집은 이웃이 함께 꾸린다. 글을 옮길 때는 쓴 사람을 밝힌다. " * 3


def sized(name: str, text: str) -> str:
    return f"{name}:T{len(text.encode()):x},{text}"


def stream(text: str = ARTICLE, post: str = '{"title":"낱말 카드","content":"$24"}') -> str:
    return (
        '1:"$Sreact.fragment"\n2:I[39756,["/chunks/1.js"],"default"]\n:HL["/a.css","style"]\n'
        f'5:["$","$L2",null,{{"post":{post}}}]\n{sized("24", text)}25:null\n'
    )


def page(pushes: Sequence[list[object]], *, bootstrap: str = "(self.__next_f=self.__next_f||[]).push([0])") -> bytes:
    scripts = [bootstrap, *(f"self.__next_f.push({json.dumps(push)})" for push in pushes)]
    body = "".join(f"<script>{script}</script>" for script in scripts if script)
    head = '<html><head><meta charset="utf-8"><title>낱말 카드</title></head><body><div id="__next"></div>'
    return f"{head}{body}</body></html>".encode()


def text(body: bytes) -> str:
    item = Item("k", "https://a.example/1", body, "text/html", "utf-8", "")
    found = html_page.extract(item)
    assert found.outcome == "kept", found.reason
    return found.text


def cut(whole: str, *places: int) -> list[list[object]]:
    ends = [0, *places, len(whole)]
    return [[1, whole[start:end]] for start, end in itertools.pairwise(ends)]


def whole(found: str) -> bool:
    return [line for line in found.split("\n") if line][-5:] == list(SENTENCES)


def test_the_short_chunk_that_announces_a_text_counts():
    before, _, rest = stream().partition("24:T")
    size, _, behind = rest.partition(",")
    assert whole(text(page([[1, before], [1, f"24:T{size},"], [1, behind]])))


@pytest.mark.parametrize("content", [ARTICLE, MARKUP])
def test_a_chunk_may_end_anywhere(content: str):
    rows = stream(content)
    for place in range(1, len(rows), 7):
        assert whole(text(page(cut(rows, place)))), place


def test_every_character_may_be_a_chunk():
    rows = stream()
    assert whole(text(page(cut(rows, *range(1, len(rows))))))


def test_a_pair_of_surrogates_may_stand_in_two_chunks():
    at = stream().index("🐣")
    rows = stream()
    pushes = [[1, rows[:at] + "\ud83d"], [1, "\udc23" + rows[at + 1 :]]]
    assert whole(text(page(pushes)))


def test_chunks_of_bytes_may_end_inside_a_character():
    raw = stream().encode()
    place = raw.index("카드를".encode()) + 1
    assert whole(text(page([[3, base64.b64encode(part).decode()] for part in (raw[:place], raw[place:])])))


def test_bytes_that_are_not_base64_are_passed_over():
    assert whole(text(page([[3, "!"], [3, 7], [1, stream()]])))


def test_the_state_of_forms_is_no_text():
    assert whole(text(page([[2, TERMS], [1, stream()], [2, None]])))


@pytest.mark.parametrize(
    "bootstrap", ["", "self.__next_f=self.__next_f||[]", "window.__next_f = window.__next_f || []", "self.__next_f=[]"]
)
def test_the_page_may_begin_without_the_mark(bootstrap: str):
    assert whole(text(page(cut(stream(), 40), bootstrap=bootstrap)))


def test_the_first_push_may_carry_text():
    body = page([]).replace(b"push([0])", b"push(" + json.dumps([1, stream()]).encode() + b")")
    assert whole(text(body))


def test_of_several_texts_the_one_that_the_article_names_is_read():
    more = sized("26", TERMS * 9)
    rows = f'{stream()}27:["$","$L2",null,{{"terms":{{"body":"$26"}}}}]\n{more}'
    assert whole(text(page(cut(rows, 100, 300))))


def test_typed_arrays_between_the_rows_are_passed_over():
    rows = stream().encode()
    at = rows.index(b"5:[")
    mixed = rows[:at] + b"6:A5,\n24:T" + rows[at:]
    assert whole(text(page([[3, base64.b64encode(mixed).decode()]])))


@pytest.mark.parametrize(
    "row",
    [
        '{"title":"낱말 카드","body":{"__html":"$24"}}',
        '{"article":["$","div",null,{"dangerouslySetInnerHTML":{"__html":"$24"}}]}',
        '{"article":["$","div",null,{"children":"$24"}]}',
        '{"article":["$","article",null,{"children":["$","p",null,{"children":"$24"}]}]}',
        "{}",
    ],
)
def test_the_text_is_named_in_many_ways_or_not_at_all(row: str):
    assert whole(text(page(cut(stream(post=row), 50))))


def test_the_place_of_an_advertisement_is_no_text():
    assert whole(text(page([[1, stream(ARTICLE.replace("\n\n", "\n$$ARTICLEAD$$\n"))]])))


def test_a_text_that_is_cut_off_is_read_as_far_as_it_goes():
    rows = stream()
    assert SENTENCES[3] in text(page([[1, rows[: rows.index("25:null") - 5]]]))


@pytest.mark.parametrize("size", ["ffffffff", "fffffffff", "0", "", "-5", "zz"])
def test_a_length_that_lies_costs_no_more_than_its_row(size: str):
    rows = stream().replace(f"T{len(ARTICLE.encode()):x},", f"T{size},")
    list(nextjs_flight.rows(list(nextjs_flight.read_chunks(page([[1, rows]]).decode()))))


def test_a_hundred_thousand_rows_are_read_once():
    rows = "".join(f'{n:x}:{{"a":"$1"}}\n' for n in range(2, 100_000)) + sized("1", ARTICLE)
    assert len(list(nextjs_flight.rows([rows]))) == 99_998


def test_a_text_that_is_named_a_hundred_thousand_times_is_put_in_a_bounded_number_of_times():
    rows = "2:[" + ",".join(['{"content":"$1"}'] * 100_000) + "]\n" + sized("1", "낱말을 모은다. " * 10_000)
    (found,) = nextjs_flight.rows([rows])
    assert sum(len(str((entry or {}).get("content"))) for entry in found if entry) < 30_000_000
