"""A value is erased from pages and attachments in whatever form it stands there, and is asked for in any other form."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import pytest

from data_cards import render_card
from flows.erase import erase
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.releases.verification.verify import verify
from malmoi.workspace import Workspace
from tests.builders.documents.small_docx import docx
from tests.builders.documents.small_pdf import column, pdf
from tests.builders.small_archive import prose
from tests.builders.small_papers import data, run, written
from tests.builders.small_site import Answer, serve
from tests.builders.small_traces import find_traces
from tests.erasure.test_purge import SOURCE, page

HTML = "text/html; charset=utf-8"
SPELLED = {  # path: (in the file, as it is asked for)
    "/blanks": ("뀨뱌루멍텅주", "뀨 뱌 루 멍 텅 주"),
    "/nfd": (normalize("NFD", "퉤낌봉우리촌"), "퉤낌봉우리촌"),
    "/wide": ("ＺＱＸＪＶＫＷ", "zqxjvkw"),
    "/phone": ("010-0000-8642", "０１０ ００００ ８６４２"),
    "/a.docx": ("꿰뜰망새바우", normalize("NFD", "꿰뜰망새바우")),
    "/a.pdf": ("쩨름보나릿골", "쩨름보나릿골"),
}


def answer(path: str, n: int, said: str) -> Answer:
    text = f"{prose(n, 12)} 사람들은 그것을 {said} 라고 적었다."
    if path.endswith("docx"):
        return Answer(docx(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"), headers={"Content-Type": "application/msword"})
    if path.endswith("pdf"):
        lines = [text[at : at + 30] for at in range(0, len(text), 30)]
        return Answer(pdf([column(lines)], packed=True), headers={"Content-Type": "application/pdf"})
    return Answer(page(f"글 {n}", "아무개", text), headers={"Content-Type": HTML})


@pytest.fixture
def crawled(tmp_path: Path) -> Iterator[tuple[str, str, Path, dict[str, Answer]]]:
    _, recipe = written(tmp_path / "papers", {"31": "x"}, judged='[[judged]]\nfilter = "morphology"\n')
    with serve() as site:
        licence = page("이용 조건", "", "이 누리집은 CC BY 4.0으로 이용할 수 있다.")
        site.answers = {"/licence": Answer(licence, headers={"Content-Type": HTML})}
        site.answers |= {path: answer(path, n, said) for n, (path, (said, _)) in enumerate(SPELLED.items())}
        site.answers["/"] = Answer(
            page("차림", "", prose(90, 9), *((p, "글") for p in SPELLED)), headers={"Content-Type": HTML}
        )
        (tmp_path / "small.py").write_text(SOURCE.format(base=site.base, host=site.base[7:]), encoding="utf-8")
        yield str(tmp_path / "small.py"), recipe, tmp_path / "w", site.answers


def count_files(home: Workspace, answers: dict[str, Answer]) -> int:
    """Count the files with one of the values, in both normal forms, or with the bytes of an attachment."""
    words = {normalize(form, said) for said, _ in SPELLED.values() for form in ("NFC", "NFD")}
    needles = [word.encode() for word in words] + [answers[path].body[200:260] for path in ("/a.docx", "/a.pdf")]
    return len(find_traces(home.root, needles))


@pytest.mark.heavy
def test_no_form_of_a_value_is_left_and_none_comes_back(crawled: tuple[str, str, Path, dict[str, Answer]]) -> None:
    source, recipe, root, answers = crawled
    home, _, _, first = run(source, recipe, root)
    assert len(data(first.folder)) >= len(SPELLED) and count_files(home, answers) > 4
    key = tombstones.load_key(home.erasure_key)
    asked = [Tombstone("value", digest_value(said, key), "2026-11-24", "요청") for _, said in SPELLED.values()]
    done = erase(home, "papers", asked, key)
    assert len(done.documents) == len(SPELLED) and count_files(home, answers) == 0
    assert verify(home.releases("papers") / done.version, render=render_card) == []
    again = run(source, recipe, root)[3]
    assert count_files(home, answers) == 0 and verify(again.folder, render=render_card) == []
    digests = {hashlib.sha256(said.encode()).hexdigest().encode() for pair in SPELLED.values() for said in pair}
    assert find_traces(home.root, sorted(digests)) == []
