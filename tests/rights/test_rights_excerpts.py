"""Pages of excerpts are reviewed by a person: quotations, texts that break off, the rest of a text elsewhere."""

from __future__ import annotations

from crawlers.formats.html.html_page import parse
from crawlers.rights import third_parties
from malmoi.source import Item
from tests.builders.rows import each_row

URL = "https://gana.example.kr/notes/1"
OWN = "<p>갯벌은 물이 두 번 드는 동안 두 번 다른 얼굴을 보인다.</p>"
LONG = "<p>" + "어촌계는 바지락 어장을 셋으로 나누어 해마다 한 곳을 쉬게 한다. " * 4 + "</p>"


def find(body: str) -> list[str]:
    page = f"<html><head><title>글</title></head><body><main>{body}</main><footer>가나시</footer></body></html>"
    item = Item("notes/1", URL, page.encode(), "text/html", "utf-8", "r")
    found = list(third_parties.find_excerpts(parse(item), URL, "notes/1"))
    assert all((one.name, one.effect, one.record) == ("third-party", "review", "notes/1") for one in found)
    return [one.place.partition(":")[0] for one in found]


@each_row(
    ("body", "names"),
    [
        (f"<blockquote>{LONG}</blockquote>{OWN}", ["quotations"]),
        (f"<blockquote><p>물이 든다.</p></blockquote>{LONG}", []),
        (f"<blockquote><div><blockquote>{OWN}</blockquote></div></blockquote>{OWN}{OWN}", []),  # counted once
        (f"<p>이웃 마을 신문: 올해 김 값이 크게 올라 어민들이…</p>{OWN}", ["breaks-off"]),
        (f"<p>나룻배는 건너편에서만 보인다. (중략)</p>{OWN}", ["breaks-off"]),
        (f"<p>그는 말을 아꼈다…</p>{LONG}", []),
        (f"{LONG}<p><a href='https://dara.example.kr/7'>원문 보기</a></p>", ["rest-elsewhere"]),
        (f"{LONG}<p><a href='//dara.example.kr/7'>[블로그에서 전체 글 보기]</a></p>", ["rest-elsewhere"]),
        (f"{LONG}<p><a href='/notes/1?all'>전체 글 보기</a> <a href='#a'>계속 읽기</a></p>", []),
        (f"{LONG}<p><a href='https://dara.example.kr/7'>다라시 누리집</a></p>", []),
        (f"{LONG}<p><a href='mailto:a@dara.example.kr'>원문</a></p>", []),
    ],
)
def test_the_shape_of_a_page_shows_excerpts(body: str, names: list[str]) -> None:
    assert find(body) == names


def test_pages_without_text_have_no_sign() -> None:
    assert find("") == find("<blockquote></blockquote>") == []
