"""Minutes of the Assembly in files: XML whatever its elements, pages of the viewer, other formats as they are read."""

from pathlib import Path

import pytest

from crawlers import catalogue
from crawlers.extract import extractor
from flows.collect import collect
from flows.curate import extract_jobs
from flows.engine.progress import Progress
from malmoi.apply import Kept
from malmoi.licensing.rights_decision import decide
from malmoi.workspace import Workspace
from tests.builders.documents.small_pdf import column, pdf

DATA = Path(__file__).parents[1] / "data" / "sources"
NAME = "assembly_minutes_files"
TEXTS = {
    "a.xml": """제278회국회(임시회)
가상위원회회의록
제2호
2031년2월3일(월)
1. 종이학 접기 진흥법안
2. 휴회의 건
(10시05분 개의)
◯가나다 위원장: 자리를 정돈하여 주시기 바랍니다.
개의하겠습니다.
◯라마바 위원: 종이학은 <개정 2020. 1. 1.> 어떻습니까?
◯사아자 가상부장관: 곱게 접겠습니다.
◯차카타 위원 이상입니다.
(11시00분 산회)""",
    "b.html": """제999회국회(임시회)
가상위원회회의록
제 1 호
국회사무처
일 시
2031년2월3일(월)
의사일정
1. 종이학 접기 진흥법안
(10시05분 개의)
◯가나다 위원장: 자리를 정돈하여 주시기 바랍니다. 개의하겠습니다.
1. 종이학 접기 진흥법안
◯가상부장관 사아자: 곱게 접겠습니다.
(웃음)
(11시00분 산회)""",
}


@pytest.fixture
def documents(tmp_path, monkeypatch):
    """The documents of a folder with one file of each kind, by the name of the file."""

    def read(files):
        (tmp_path / "data").mkdir()
        for name, raw in files.items():
            (tmp_path / "data" / name).write_bytes(raw)
        monkeypatch.setenv("MALMOI_ASSEMBLY_DIR", str(tmp_path / "data"))
        home = Workspace.open(tmp_path / "w")
        collect(home, NAME, Progress(quiet=True))
        (job,) = extract_jobs(home, NAME)
        found = [outcome for row in job.rows for outcome in extractor(job.extraction)(row)]
        return {outcome.document.id.removeprefix(f"{NAME}/"): outcome for outcome in found}

    return read


def rights(outcome):
    return decide(outcome.document.evidence, outcome.document.signals)


def test_a_sitting_is_one_document_with_a_line_for_each_turn(documents):
    found = documents({name: (DATA / f"{NAME}{name[1:]}").read_bytes() for name in TEXTS})
    assert {name: outcome.document.text for name, outcome in found.items()} == TEXTS
    assert all(isinstance(outcome, Kept) and not outcome.document.author for outcome in found.values())
    assert {outcome.document.date for outcome in found.values()} == {"2031-02-03"}
    assert found["a.xml"].document.title == "제278회국회(임시회) 가상위원회회의록"
    assert {rights(outcome).licence for outcome in found.values()} == {"LicenseRef-KR-CA-Art24"}


def test_a_page_of_the_viewer_without_the_element_of_the_minutes_is_read_by_its_parts(documents):
    page = (DATA / f"{NAME}.html").read_text("utf-8").replace('<div id="minutes">', "<div>")
    footer = '<div class="minutes_footer"><p>○출석 위원(2인)</p></div><div class="footer">'
    found = documents({"b.html": page.replace('<div class="footer">', footer).encode()})
    assert found["b.html"].document.text == TEXTS["b.html"] + "\n○출석 위원(2인)"


def test_files_of_other_formats_are_read_as_their_format_and_granted_by_their_heading(documents):
    sitting = column(
        ["제278회국회(임시회) 가상위원회회의록 제1호", "일 시 2031년 2월 3일(월)", "◯의장 가나다 개의합니다."]
    )
    notice = column(["가상의 안내문", "2031년 2월 3일", "오늘은 쉽니다."])
    page = "<html><body><div id=minutes><p>400 Bad Request</p></div></body></html>"
    broken = (DATA / f"{NAME}.xml").read_bytes()[:900]
    found = documents({"a.pdf": pdf([sitting]), "b.pdf": pdf([notice]), "c.html": page.encode(), "d.xml": broken})
    assert {name: rights(outcome).use for name, outcome in found.items()} == {
        "a.pdf": "redistribute",
        "b.pdf": "exclude",
        "c.html": "exclude",
        "d.xml": "exclude",
    }
    assert not isinstance(found["d.xml"], Kept), "half a file is not minutes"


def test_nobody_has_seen_a_converted_file():
    source = catalogue.load(NAME).source
    assert source.unverified.startswith("No converted file has been seen") and source.rule.proofs == ("statute",)
