"""A snippet shows the mark where the archived response has it, and says so where it cannot."""

from crawlers.extract import load_capture
from flows.review import snippets
from flows.review.snippets import AROUND, MAX_MARKS, Records, find_mark, find_snippets
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence
from malmoi.storage import shard
from malmoi.workspace_layout import Layout
from tests.builders.rows import each_row
from tests.review.small_queue import SENTENCE, make_workspace, sentences

KOGL = "https://www.kogl.or.kr/info/licenseType1.do"
BLOCK = f'<p>{SENTENCE}</p><a href="{KOGL}"><img alt="출처표시" src="/opentype1.png"></a>'
LINK = "https://creativecommons.org/licenses/by/4.0/"


def find(quote: str, body: bytes | str, media: str = "text/html; charset=utf-8"):
    content = body if isinstance(body, bytes) else body.encode()
    capture = Capture("r", "https://a.example/1", "", 200, (("Content-Type", media),), content)
    return find_mark(LicenceEvidence("CC-BY-4.0", "link", "item", quote, "p", "r"), capture)


@each_row(
    ("quote", "body", "media", "outcome", "marks"),
    [
        (SENTENCE, f"<p>가<b>{SENTENCE}</b>나", "text/html; charset=utf-8", "text", [("text", SENTENCE)]),
        (SENTENCE, f"<p>{SENTENCE}".encode("cp949"), "text/html; charset=euc-kr", "text", [("text", SENTENCE)]),
        (SENTENCE, f"번호,이용\n1,{SENTENCE}\n", "text/csv", "text", [("text", SENTENCE)]),
        ("opentype1.png", '<img src="/i/opentype1.png">', "text/html", "markup", [("markup", "opentype1.png")]),
        (f"{LINK} CC BY", f'<a href="{LINK}">CC BY</a>', "text/html", "parts", [("text", "CC BY"), ("markup", LINK)]),
        ("https://a.kr/?b=1&c=2 이용", '<a href="https://a.kr/?b=1&amp;c=2">보기</a>', "text/html", "hidden",
         [("markup", "https://a.kr/?b=1&amp;c=2")]),
        ("https://a.kr/?b=1&c=2 보기", '<a href="https://a.kr/?b=1&amp;c=2">보기</a>', "text/html", "parts",
         [("text", "보기"), ("markup", "https://a.kr/?b=1&amp;c=2")]),
        (f"{SENTENCE} {KOGL} opentype1.png 출처표시", BLOCK, "text/html", "parts",
         [("text", SENTENCE), ("markup", KOGL), ("markup", "opentype1.png"), ("markup", "출처표시")]),
        ("하나 둘 셋 넷 다섯 여섯", "<p>여섯 다섯 넷 셋 둘 하나", "text/html", "hidden",
         [("text", one) for one in ("하나", "둘", "셋", "넷", "다섯")]),
        ("제1유형", '<a title="제1유형">', "text/html; charset=no-such", "markup", [("markup", "제1유형")]),
        ("다른 곳의 말", "<p>글", "text/html", "hidden", []),
        ("", "<p>글", "text/html", "hidden", []),
        ("글", b"", "text/html", "hidden", []),
        ("글", bytes(range(256)), "application/octet-stream", "hidden", []),
    ],
)  # fmt: skip
def test_a_mark_is_found_in_the_text_or_the_markup(quote, body, media, outcome, marks):
    found = find(quote, body, media)
    assert found.outcome == outcome
    assert [(one.view, one.mark) for one in found.passages] == marks


def test_what_is_cut_off_is_shown_by_an_ellipsis():
    (passage,) = find("이용 조건", f"<p>{'가' * 2 * AROUND}이용 조건{'나' * 2 * AROUND}").passages
    assert passage.before == "…" + "가" * AROUND and passage.after == "나" * AROUND + "…"


def test_of_many_marks_the_first_are_shown_and_a_record_is_read_once(tmp_path, monkeypatch):
    home = make_workspace(tmp_path / "w", sentences("sky", 1))
    (path,) = home.shards("3-clean")
    (doc,) = shard.to_documents(shard.read(path / "dropped.parquet"))
    records = Records(home, {"sky": {doc.evidence[0].record}})
    loads = []
    monkeypatch.setattr(snippets, "load_capture", lambda row: loads.append(row) or load_capture(row))
    found = find_snippets(records, "sky", doc.evidence * 20)
    assert [one.outcome for one in found] == ["text"] * MAX_MARKS
    assert len(loads) == 1


def test_a_source_without_captures_has_no_records(tmp_path):
    records = Records(Layout(tmp_path), {"sky": {"r"}})
    evidence = LicenceEvidence("CC-BY-4.0", "link", "item", "CC BY", "p", "r")
    assert [one.outcome for one in find_snippets(records, "sky", [evidence])] == ["missing"]
    assert [one.outcome for one in find_snippets(records, "wind", [evidence])] == ["missing"]
