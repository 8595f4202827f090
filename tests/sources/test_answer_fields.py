"""Fields of an interface: read, left out by name, or named as unknown."""

import json
from pathlib import Path

from crawlers import catalogue
from crawlers.platforms.answer_fields import Fields
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.archive.capture import Capture
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_site import Answer, serve

DATA = Path(__file__).parents[1] / "data" / "sources"
LIST = "https://open.assembly.go.kr/portal/openapi/nzbyfwhwaoanttzje?pIndex=1"
ENTRY = "https://a.kr/DRF/lawService.do?ID=1"
# Source, its fixture, its address; and a field that the interface gains: the place, and the element or the key.
ANSWERS = (
    ("law_statutes", "law_list.xml", ENTRY, "</law>", "<이용조건>제1유형</이용조건></law>", "이용조건"),
    ("law_statutes", "law_statute.xml", ENTRY, "</기본정보>", "<한자>甲</한자></기본정보>", "한자"),
    ("law_rules", "law_rule.xml", ENTRY, "</행정규칙기본정보>", "<등급>1</등급></행정규칙기본정보>", "등급"),
    ("law_precedents", "law_precedent.xml", ENTRY, "</PrecService>", "<개요>a</개요></PrecService>", "개요"),
    ("law_interpretations", "law_interpretation.xml", ENTRY, "</ExpcService>", "<비고>a</비고></ExpcService>", "비고"),
    ("policy_briefing", "policy_day.xml", ENTRY, "</NewsItem>", "<CopyRight>a</CopyRight></NewsItem>", "CopyRight"),
    ("press_releases", "press_day.xml", ENTRY, "</NewsItem>", "<CopyRight>a</CopyRight></NewsItem>", "CopyRight"),
    ("clik_minutes", "clik_list.json", LIST, '"RASMBLY_SESN"', '"KOGL": "1", "RASMBLY_SESN"', "KOGL"),
    ("kipris", "kipris_list.xml", ENTRY, "</item>", "<kogl>1</kogl></item>", "kogl"),
    ("kipris", "kipris_entry.xml", ENTRY, "</abstractInfo>", "<licence>BY</licence></abstractInfo>", "licence"),
    ("assembly_minutes", "assembly_list.json", LIST, '"CONF_ID"', '"LICENSE": "1", "CONF_ID"', "LICENSE"),
)


def capture(url: str, body: str) -> Capture:
    return Capture("r", url, "2030-01-01T00:00:00Z", 200, (("Content-Type", "text/xml; charset=utf-8"),), body.encode())


@each_row(("name", "file", "url", "place", "gained", "field"), ANSWERS)
def test_a_field_that_an_interface_gains_is_named(name, file, url, place, gained, field):
    unknown_fields = catalogue.load(name).unknown_fields
    body = (DATA / file).read_text("utf-8")
    assert place in body
    assert list(unknown_fields(capture(url, body))) == []
    assert list(unknown_fields(capture(url, body.replace(place, gained)))) == [field]


def test_a_known_container_covers_what_is_inside_and_an_empty_field_is_none():
    fields = Fields(("a",), ("box",))
    assert fields.find_unknown({"a": {"x": 1}, "box": [{"y": 1}], "z": None, "e": [], "s": " "}) == ()
    assert fields.find_unknown({"out": {"in": 0}, "rows": [{"a": 1, "new": False}]}) == ("in", "new")


def test_an_answer_nested_deeply_is_read_without_recursion():
    deep: dict = {"end": 1}
    for _ in range(100_000):
        deep = {"down": deep}
    assert Fields(()).find_unknown(deep) == ("end",)


def test_an_unreadable_answer_has_no_fields():
    assert list(catalogue.load("kipris").unknown_fields(capture(ENTRY, "no xml"))) == []


SOURCE = """
import json
from crawlers import tables
from crawlers.platforms.answer_fields import Fields
from malmoi.source import Api, Manners, Source
FIELDS = Fields(("id", "text"))
SOURCE = Source("rows", "견본", "발행처", Api(("{base}/rows",), ("{base}/",)),
                manners=Manners(delay=0.0, loopback=("{host}",)))
def items(capture):
    return tables.rows(capture)
def unknown_fields(capture):
    return FIELDS.find_unknown(json.loads(capture.body))
"""


def test_a_collection_warns_once_of_the_fields_that_nobody_reads(tmp_path, capsys):
    rows = [{"id": "1", "text": "가", "licence": "BY"}, {"id": "2", "text": "나", "licence": "BY"}]
    with serve() as site:
        site.answers = {"/rows": Answer(json.dumps(rows).encode(), headers={"Content-Type": "application/json"})}
        path = tmp_path / "rows.py"
        path.write_text(SOURCE.format(base=site.base, host=site.base.removeprefix("http://")))
        home = Workspace.open(tmp_path / "w")
        assert collect(home, str(path), Progress()).new == 1
        assert capsys.readouterr().err.count("licence") == 1
        assert collect(home, str(path), Progress()).new == 0
    assert "licence" not in capsys.readouterr().err, "nothing new was answered"
