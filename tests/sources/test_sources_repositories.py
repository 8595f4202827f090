"""Sources of repositories: what a record is, in each format, and what its rights permit."""

from pathlib import Path

import pytest
from lxml import etree

from crawlers import attachments, catalogue
from crawlers.extract import make_document
from crawlers.formats import ParsedItem, safe_xml
from crawlers.oai import dspace, protocol, records
from crawlers.rights import repository_rights
from malmoi.apply import Kept, Outcome
from malmoi.archive.capture import Capture
from malmoi.licensing.rights_decision import decide
from malmoi.source import Attachment, OaiPmh
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "sources"


def outcomes(name: str) -> dict[str, Outcome]:
    """Key of a document → what extraction makes of the records of the fixture of a source."""
    definition = catalogue.load(name)
    access = definition.source.access
    assert isinstance(access, OaiPmh) and definition.items and definition.text
    from crawlers import defaults

    evidence = defaults.evidence_for(definition.source, {}, definition.evidence)
    found = {}
    for record in protocol.parse((DATA / f"{name}.xml").read_bytes()).records:
        url = protocol.request_url(access.url, "GetRecord", identifier=record.identifier, metadataPrefix="oai_dc")
        capture = Capture("r", url, "2031-01-05T00:00:00Z", 200, (), record.body, name)
        for item in definition.items(capture):
            parsed = ParsedItem(item)
            found[item.key] = make_document(capture, "0", parsed, definition.text(parsed), evidence)
    return found


def reasons(name: str) -> dict[str, str]:
    """Number of a record → its licence, or why it is excluded."""
    decided = {key: decide(one.document.evidence, one.document.signals) for key, one in outcomes(name).items()}
    return {key.rpartition("/")[2].rpartition(":")[2]: one.reason or one.licence for key, one in decided.items()}


def test_kisti_repository_uses_only_what_names_its_type():
    assert reasons("kisti_repository") == {
        "90001": "LicenseRef-KOGL-1",
        "90002": "unknown-licence",
        "90003": "restricted-licence",
        "90004": "no-licence",
    }
    made = outcomes("kisti_repository")["oai:repository.kisti.re.kr:10580/90001"]
    assert isinstance(made, Kept)
    doc = made.document
    assert (doc.title, doc.author, doc.date) == ("시험용 작업 분배 보고서", "견본 지은이; 둘째 지은이", "2030-12-24")
    assert doc.text == "가상의 계산 노드에서 작업을 나누는 방법을 시험하였다."
    assert doc.provenance.url == "https://repository.kisti.re.kr/handle/10580/90001"


def test_kisti_repository_has_the_files_of_the_bundle_original():
    access = catalogue.load("kisti_repository").source.access
    assert isinstance(access, OaiPmh)
    answer = protocol.parse((DATA / "kisti_repository.xml").read_bytes())
    said = records.describe(protocol.parse_record(answer.records[0].body))
    assert records.files(said.fields, access) == ["http://repository.kisti.re.kr/bitstream/10580/90001/1/report.pdf"]
    assert (answer.token, answer.records[-1].deleted) == ("xoai////100", True)


def test_oak_reads_the_elements_that_it_names_itself():
    assert reasons("oak") == {"99000001": "no-licence", "99000002": "CC-BY-4.0"}
    doc = outcomes("oak")["oai:oak.go.kr:99000001"].document
    assert (doc.title, doc.author, doc.date) == ("시험용 논문 제목", "견본 지은이", "2030-12-01")
    assert doc.text == "견본 논문의 국문 초록이다.\n\nAn abstract for tests."
    assert doc.provenance.url == "https://repository.example/handle/1/1"


QDC = """<qdc:qualifieddc xmlns:qdc="http://dspace.org/qualifieddc/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>제목</dc:title><dcterms:abstract>초록</dcterms:abstract>
 <dc:identifier>https://a.kr/bitstream/1/2/a.hwp</dc:identifier><dcterms:issued>2030-01-02</dcterms:issued>
 <dcterms:license>https://creativecommons.org/licenses/by/4.0/</dcterms:license></qdc:qualifieddc>"""
MARC = """<record xmlns="http://www.loc.gov/MARC21/slim"><leader>00000nam</leader>
 <datafield tag="245" ind1="0" ind2="0"><subfield code="a">제목</subfield></datafield>
 <datafield tag="520" ind1=" " ind2=" "><subfield code="a">초록</subfield></datafield>
 <datafield tag="264" ind1=" " ind2="1"><subfield code="c">2030-01-02</subfield></datafield>
 <datafield tag="540" ind1=" " ind2=" "><subfield code="u">https://creativecommons.org/licenses/by/4.0/</subfield>
 </datafield><datafield tag="856" ind1="4" ind2="0"><subfield code="u">https://a.kr/bitstream/1/2/a.hwp</subfield>
 </datafield></record>"""
DIM = """<dim:dim xmlns:dim="http://www.dspace.org/xmlns/dspace/dim">
 <dim:field mdschema="dc" element="title">제목</dim:field>
 <dim:field mdschema="dc" element="description" qualifier="abstract" lang="ko">초록</dim:field>
 <dim:field mdschema="dc" element="description" qualifier="provenance">Submitted by a@repo.example</dim:field>
 <dim:field mdschema="dc" element="date" qualifier="issued">2030-01-02</dim:field>
 <dim:field mdschema="dc" element="relation" qualifier="uri">https://a.kr/bitstream/1/2/a.hwp</dim:field>
 <dim:field mdschema="dc" element="rights" qualifier="uri">https://creativecommons.org/licenses/by/4.0/</dim:field>
 </dim:dim>"""


@pytest.mark.parametrize("metadata", [QDC, MARC, DIM], ids=["qdc", "marcxml", "dim"])
def test_each_format_gives_title_abstract_date_rights_and_files(metadata):
    said = records.describe(
        etree.fromstring(
            f"<record><header><identifier>oai:a:1</identifier></header><metadata>{metadata}</metadata></record>"
        )
    )
    assert (said.identifier, said.title, said.date) == ("oai:a:1", "제목", "2030-01-02")
    assert records.abstract(said.fields) == "초록"
    assert [one.licence for one in repository_rights.find(said.rights, "r")] == ["CC-BY-4.0"]
    access = OaiPmh("https://a.kr/oai", scope=("https://a.kr/bitstream/",))
    assert records.files(said.fields, access) == ["https://a.kr/bitstream/1/2/a.hwp"]


def described(*fields):
    """What is read of a record in oai_dc with these elements, name and value."""
    said = "".join(f"<dc:{name}>{value}</dc:{name}>" for name, value in fields)
    dc = f'<oai_dc:dc xmlns:oai_dc="o" xmlns:dc="http://purl.org/dc/elements/1.1/">{said}</oai_dc:dc>'
    return records.describe(
        etree.fromstring(f"<record><header><identifier>oai:a:1</identifier></header><metadata>{dc}</metadata></record>")
    )


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        (("2030-06-01T14:26:36Z", "2030-06-01T14:26:36Z", "2028-02-03"), "2028-02-03"),
        (("2030-06-01T14:26:36Z", "2028-07"), ""),
        (("2030-06-01T14:26:36Z",), "2030-06-01"),
    ],
)
def test_the_day_when_a_repository_took_a_work_in_is_not_the_date_of_the_work(dates, day):
    assert described(*(("date", one) for one in dates)).date == day


def test_the_handle_of_a_work_comes_before_the_page_of_its_publisher():
    publisher, handle = "https://journal.example/2.3.html", "http://hdl.handle.net/1903/1350"
    assert described(("identifier", publisher), ("identifier", handle)).url == handle
    assert described(("identifier", "https://a.kr/xmlui/handle/1/3")).url == "https://a.kr/xmlui/handle/1/3"
    assert described(("identifier", publisher), ("relation", handle)).url == publisher, "of the series"


STATEMENTS = [
    ("dc.rights", "Attribution 4.0 International", ["CC-BY-4.0"]),
    ("dc.rights", "Attribution-NonCommercial-ShareAlike 4.0 International", ["CC-BY-NC-SA-4.0"]),
    ("dc.rights", "Attribution-NoDerivs 2.0 Korea", ["LicenseRef-CC-BY-ND-2.0-KR"]),
    ("dc.rights", "CC0 1.0 Universal", ["CC0-1.0"]),
    ("dc.rights", "공공누리 제1유형", ["LicenseRef-KOGL-1"]),
    ("dc.rights", "Korea Open Government License (KOGL) Type 4", ["LicenseRef-KOGL-4"]),
    ("dc.rights.uri", "http://www.kogl.or.kr/info/licenseType1.do", ["LicenseRef-KOGL-1"]),
    ("dc.rights", "licensed Korea Open Government License", ["unknown"]),
    ("dc.rights", "공공누리", ["unknown"]),
    ("dc.rights", "CC BY", ["unknown"]),  # which version?
    ("dc.rights.license", "누구나 쓸 수 있음", ["unknown"]),
    ("dc.rights.creativecommons", "https://creativecommons.org/licenses/by/4.0", ["CC-BY-4.0"]),
    ("dc.rights.uri", "https://rightsstatements.org/vocab/InC/1.0/", ["unknown"]),
    ("dc.rights", "All rights reserved", ["none"]),
    ("dc.rights", "Copyright (c) 2026 견본 저자", []),
    ("dc.rights", "info:eu-repo/semantics/openAccess", []),
    ("dc.rights", "open access", []),
    ("dc.rights", "info:eu-repo/semantics/embargoedAccess", ["unknown"]),
    ("dc.rights.holder", "CC BY 4.0", []),  # not a field of the licence
    ("dc.rights.accessrights", "open", []),
]


@each_row(("field", "words", "licences"), STATEMENTS)
def test_a_statement_of_the_closed_list_is_a_licence_and_no_other(field, words, licences):
    assert [one.licence for one in repository_rights.find([(field, words)], "r")] == licences


def test_a_licence_beside_a_closed_access_grants_nothing():
    said = [("dc.rights", "CC BY 4.0"), ("dc.rights", "info:eu-repo/semantics/closedAccess")]
    assert decide(repository_rights.find(said, "r")).use == "exclude"


def test_a_file_has_the_rights_that_its_record_had_when_it_was_fetched():
    said = records.describe(
        etree.fromstring(
            "<record><header><identifier>oai:a:1</identifier></header><metadata>"
            "<dc xmlns='http://purl.org/dc/elements/1.1/'><title>제목</title><rights>CC BY 4.0</rights></dc>"
            "</metadata></record>"
        )
    )
    header = attachments.write_header(Attachment("https://a.kr/bitstream/1", said.facts()), "r")
    headers = (("Content-Type", "text/plain; charset=utf-8"), (attachments.HEADER, header))
    (item,) = records.items(Capture("r", "https://a.kr/bitstream/1", "", 200, headers, "전문".encode(), "a"))
    assert (item.key, item.title) == ("oai:a:1#https://a.kr/bitstream/1", "제목")
    assert [one.licence for one in item.evidence] == ["CC-BY-4.0"]
    assert records.text(ParsedItem(item)).text == "전문"


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><OAI-PMH>&x;</OAI-PMH>',
        b"<OAI-PMH>" + b"<a>" * 2_000_000,
        b"\x00\x01",
    ],
    ids=["entity", "deep", "bytes"],
)
def test_hostile_xml_is_refused_in_bounded_time_and_memory(body):
    with pytest.raises(safe_xml.Unreadable):
        protocol.parse(body)


def test_a_dspace_is_ten_lines():
    found = dspace.source("https://a.kr/server/oai/request", name="a", title="A", publisher="B").access
    assert isinstance(found, OaiPmh) and found.formats[0] == "xoai"
    assert "https://a.kr/server/api/core/bitstreams/" in found.scope
    assert "http://a.kr/xmlui/bitstream/" in found.scope
