"""Records of XML as items: a dump of any publisher, read with the functions that the docs name."""

import pytest

from crawlers import defaults, xml_rows
from crawlers.formats import ParsedItem
from malmoi.archive.capture import Capture
from malmoi.errors import CallError, TableError

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<모음 xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
RECORD = (
    '<기록 번호="{0}"><dc:title>제{0}호\n점검</dc:title><내용><본문>첫 줄<p>둘째 줄</p></본문></내용>'
    "<작성일>2024.3.1</작성일><작성자>설비팀</작성자><이용조건>공공누리 제1유형</이용조건></기록>\n"
)


def rows(body, record="기록", **named):
    columns = {
        "text": "본문",
        "key": "번호",
        "title": "title",
        "date": "작성일",
        "author": "작성자",
        "licence": "이용조건",
    }
    found = Capture("r", "https://data.example/dump/a.xml", "", 200, (), body)
    return xml_rows.rows(found, record, **(columns | named))


def read(body, record="기록", **named):
    return list(rows(body, record, **named))


def reasons(items):
    return [(one.key, defaults.text(ParsedItem(one)).reason) for one in items]


def test_elements_and_attributes_of_a_record_are_its_columns_at_any_depth_and_in_any_namespace():
    (one,) = read((HEAD + RECORD.format(7) + "</모음>").encode())
    assert (one.key, one.url) == ("a.xml#7", "https://data.example/dump/a.xml#7")
    assert (one.body, one.title, one.date, one.author) == ("첫 줄\n둘째 줄", "제7호 점검", "2024-03-01", "설비팀")
    assert [(proof.licence, proof.scope, proof.place) for proof in one.evidence] == [
        ("LicenseRef-KOGL-1", "item", "이용조건")
    ]


def test_a_block_of_a_dump_needs_no_head_and_may_be_cp949():
    assert [one.key for one in read((RECORD.format(1) + RECORD.format(2)).encode())] == ["a.xml#1", "a.xml#2"]
    (one,) = read(('<?xml version="1.0" encoding="EUC-KR"?><모음>' + RECORD.format(3)).encode("cp949"))
    assert one.body == "첫 줄\n둘째 줄"


def test_of_a_damaged_record_the_readable_part_counts_and_no_other_is_lost():
    broken = '<기록 번호="2"><본문>나 & 다\x0b</내용></기록>'
    body = RECORD.format(1) + broken + '<기록 번호="3"><본문/></기록>' + RECORD.format(4)
    found = read(body.encode())
    assert reasons(found) == [("a.xml#1", ""), ("a.xml#2", ""), ("a.xml#3", "empty"), ("a.xml#4", "")]
    assert found[1].body.split() == ["나", "다"]


def test_a_record_that_no_parser_reads_is_counted_and_dropped():
    deep = '<기록 번호="2"><본문>' + "<p>" * 1_700_000 + "</본문></기록>"
    last = read((deep + RECORD.format(4)).encode())
    assert reasons(last) == [("a.xml#unread-1", "too-large"), ("a.xml#4", "")]


def test_an_answer_that_is_cut_off_gives_its_whole_records_and_says_so():
    found, table = [], rows((RECORD.format(1) + RECORD.format(2) + "<기록><본문>끊긴").encode())
    with pytest.raises(TableError, match="1 of 3 <기록> have no end, so the answer is cut off"):
        found.extend(table)
    assert [one.key for one in found] == ["a.xml#1", "a.xml#2"]


def test_a_renamed_element_is_named_with_those_that_are_there():
    with pytest.raises(TableError, match=r"no record has an element or attribute '답변'\. Found: 번호, 기록, title"):
        read(RECORD.format(1).encode(), text="답변")
    assert read('<기록 번호="3"><본문/></기록>'.encode())[0].body == ""  # there, and empty
    assert read(RECORD.format(1).encode(), author="담당자")[0].author == ""


def test_names_that_only_begin_like_the_record_are_others():
    assert read("<기록목록><본문>가</본문></기록목록>".encode()) == []
    with pytest.raises(CallError, match="record='<기록>' is no name of an element; write it without < and >"):
        read(b"", record="<기록>")
