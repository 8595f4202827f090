"""An archive of one host for tests of templates: 60 pages of one make, written by us, with prose that differs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from malmoi.archive.capture import warc_record

HOST = "https://board.example"
FETCHED = "2026-03-01T00:00:00Z"
SOURCE = '''"""One archive."""

from pathlib import Path

from malmoi.source import LicenceRule, Source, Warc

SOURCE = Source(name="board", title="게시판", publisher="시험", access=Warc(({paths},)),
    rule=LicenceRule(("kogl-block",), (("https://board.example/", ".kogl"),)))
'''
_WHO = ("정원사가", "사서가", "목수가", "이웃이", "선생이", "아이가", "어부가", "기자가", "의사가", "상인이")
_WHERE = ("강가에서", "도서관에서", "시장에서", "마당에서", "산길에서", "학교에서", "바닷가에서", "역 앞에서")
_WHAT = ("씨앗을", "헌책을", "의자를", "편지를", "사진을", "그물을", "낱말을", "약초를", "지도를", "악보를")
_DID = ("천천히 살펴보았다.", "오래 들고 있었다.", "조심스럽게 옮겼다.", "하나씩 세었다.", "다시 적어 두었다.")
MARK = (
    '<div class="kogl"><a href="https://www.kogl.or.kr/info/licenseType1.do">'
    '<img src="img_opentype01.png" alt="공공누리 제1유형"></a></div>'
)


def prose(seed: int, sentences: int = 5) -> str:
    """Korean sentences that no other seed gives."""
    pick = random.Random(seed).choice
    said = (f"{pick(_WHO)} {pick(_WHERE)} {pick(_WHAT)} {pick(_DID)}" for _ in range(sentences))
    return f"{seed}번째 이야기이다. " + " ".join(said)


def page(number: int, *, beside: str = "", mark: str = "", inside: str = "") -> str:
    """A page of the host: a menu, the text with neighbours below it, a sidebar, a footer."""
    menu = "".join(f'<li><a href="/menu/{n}">차림 {n}</a></li>' for n in range(8))
    entries = "".join(f"<li>{prose(1000 + number * 3 + n, 1)}</li>" for n in range(3))
    near = "".join(f'<li><a href="/read/{number + n}">이웃한 글 {number + n}번으로 간다</a></li>' for n in (1, 2))
    return f"""<!doctype html><html><head><meta charset="utf-8"><title>글 {number}</title></head><body>
<div class="gnb"><ul>{menu}</ul></div>
<div id="view_box"><h2>이야기 {number}</h2><p class="lead">{prose(number)}</p><p>{prose(number + 5000)}</p>
<ul class="points">{entries}</ul>{inside}
<ul class="related">{near}</ul></div>{beside}
<div class="side"><p>이 누리집은 시험을 위하여 지은 것이니 아무도 찾아오지 않는다.</p></div>
<div class="foot"><p>서울 가나구 다라로 1, 전화 없음. 이 누리집은 시험용이다.</p>{mark}</div></body></html>"""


def write(path: Path, pages: dict[str, str]) -> None:
    """An archive with a page for each path of the host."""
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    records = (warc_record(f"{HOST}{where}", FETCHED, 200, headers, body.encode()) for where, body in pages.items())
    path.write_bytes(b"".join(records))


def site(count: int = 60, make: Callable[[int], str] = page) -> dict[str, str]:
    """`count` pages of the host."""
    return {f"/read/{n}": make(n) for n in range(count)}


def source(folder: Path, *archives: Path) -> str:
    """The file that defines a source over archives."""
    path = folder / "board.py"
    path.write_text(SOURCE.format(paths=", ".join(f"Path({str(one)!r})" for one in archives)), encoding="utf-8")
    return str(path)
