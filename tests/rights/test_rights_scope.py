"""Documents, RSL files, cards and the rule of a source: who speaks for a text, and how far."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawlers import collect as collecting
from crawlers import defaults
from crawlers.formats import ParsedItem
from crawlers.formats.docx import docx as reader
from crawlers.rights import xmp_rights
from crawlers.rights.host import rsl
from crawlers.rights.host.policy_files import build_instruments, find, read_latest
from crawlers.rights.sentences.subject import find_subject, is_doubtful
from crawlers.web.robots_rules import matches
from malmoi.archive import capture, collection
from malmoi.document import LicenceEvidence
from malmoi.licensing.rights_decision import Rights, decide
from malmoi.source import Extracted, Folder, Item, LicenceClaim, LicenceRule, Source, Warc

PROSE = "바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다. 아이들은 갯벌에 나가 조개를 캐고 물때를 배운다."
SOURCE = Source("a", "가", "나", Folder(Path("x")))
KOGL_1 = "본 저작물은 공공누리 제1유형 조건에 따라 이용할 수 있습니다."
WHEN = "2026-01-02T03:04:05Z"


def docx(*lines: str) -> Item:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    inside = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines)
    types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        packed.writestr("[Content_Types].xml", types)
        packed.writestr("word/document.xml", f'<w:document xmlns:w="{space}"><w:body>{inside}</w:body></w:document>')
    return Item("a.docx", "folder:a/a.docx", body.getvalue(), "", "", "r")


def judged(item: Item, source: Source = SOURCE) -> Rights:
    return decide(*defaults.evidence_for(source, {"LICENCE": "r"})(ParsedItem(item)))


@pytest.mark.parametrize(
    ("last", "use", "licence"),
    [
        (KOGL_1, "redistribute", "LicenseRef-KOGL-1"),
        ("공공누리 제1유형: 출처표시", "redistribute", "LicenseRef-KOGL-1"),
        (KOGL_1.replace("1", "4"), "exclude", "LicenseRef-KOGL-4"),
        ("무단 전재 및 재배포 금지", "exclude", ""),
        ("공공누리 제1유형은 출처를 표시하면 된다.", "exclude", ""),
        ("", "exclude", ""),
    ],
)
def test_the_text_of_a_document_speaks_for_it(last: str, use: str, licence: str) -> None:
    said = judged(docx(PROSE, PROSE, PROSE, PROSE, last))
    assert (said.use, said.licence) == (use, licence), said.evidence


def test_the_text_of_a_document_is_extracted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = reader.extract

    def counted(item: Item) -> Extracted:
        calls.append(item)
        return real(item)

    monkeypatch.setattr(reader, "extract", counted)
    parsed = ParsedItem(docx(PROSE, KOGL_1))
    found = defaults.text(parsed)
    defaults.evidence_for(SOURCE, {})(parsed.set_date(found.date or "2026-01-01"))
    assert len(calls) == 1


def test_what_a_pdf_states_of_itself_is_evidence() -> None:
    said = {
        "cc:license": "http://creativecommons.org/licenses/by/4.0/",
        "dc:rights": "가나 출판사",
        "tdm:reservation": "0",
    }
    evidence, signals = xmp_rights.read(said, "r")
    assert [(e.licence, e.scope, e.place) for e in evidence] == [("CC-BY-4.0", "item", "XMP cc:license")]
    assert [s.effect for s in signals] == ["granted"]
    assert [e.licence for e in xmp_rights.read({"dc:rights": "All rights reserved"}, "r")[0]] == ["none"]
    assert decide(*xmp_rights.read({**said, "tdm:reservation": "1"}, "r")).reason == "opt-out"


@pytest.mark.parametrize("rule", [LicenceRule(widest="item"), LicenceRule(review=True)])
def test_a_grant_wider_than_the_rule_of_a_source_is_noted_and_permits_nothing(rule: LicenceRule) -> None:
    claim = LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE")
    source = Source("a", "가", "나", Folder(Path("x")), claim=(claim,))
    footer = f'<article><p>{PROSE}</p></article><footer><a rel="license" href="{CC}">CC BY 4.0</a></footer>'
    own = f'<article><p>{PROSE}</p><p><a rel="license" href="{CC}">CC BY 4.0</a></p></article>'
    strict = replace(source, rule=rule)
    assert [judged(page(body), source).use for body in (footer, own)] == ["redistribute", "redistribute"]
    assert [judged(page(body), strict).use for body in (footer, own)] == ["exclude", "redistribute"]
    said = judged(page(footer), strict)
    assert said.evidence == () and [s.name for s in said.signals] == ["wider-mark", "wider-mark"]
    refused = f"<article><p>{PROSE}</p></article><footer>무단 전재 및 재배포 금지</footer>"
    assert judged(page(refused), strict).reason == "refused"


CC = "https://creativecommons.org/licenses/by/4.0/"


def page(body: str) -> Item:
    whole = f"<!DOCTYPE html><html><head><meta charset=utf-8></head><body>{body}</body></html>"
    return Item("k", "https://a.kr/1", whole.encode(), "text/html", "utf-8", "r")


def terms(inside: str, url: str = "/*", more: str = "") -> str:
    space = "https://rslstandard.org/rsl"
    return f'<rsl xmlns="{space}"><content url="{url}"{more}><license>{inside}</license></content></rsl>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (terms('<permits type="usage">all</permits>'), ""),
        (terms('<permits type="usage">search, ai-train</permits><payment type="attribution"/>'), ""),
        (terms('<permits type="usage">all</permits><prohibits type="usage">search</prohibits>'), ""),
        (terms('<permits type="usage">search</permits>'), "training is not among"),
        (terms('<permits type="usage">all</permits><prohibits type="usage">train-ai</prohibits>'), "prohibits"),
        (terms('<permits type="usage">all</permits><prohibits type="usage">ai-input</prohibits>'), "prohibits"),
        (terms('<permits type="usage">all</permits><payment type="crawl"/>'), "payment"),
        (terms('<permits type="usage">all</permits><permits type="geo">US</permits>'), "only for some"),
        (terms('<permits type="usage">all</permits>', more=' server="https://s.kr"'), "a licence server"),
        (terms('<permits type="usage">search</permits>', url="/b/*"), ""),
        (terms('<permits type="usage">search</permits>', url="https://b.kr/*"), ""),
        (terms('<permits type="usage">search</permits>', url="https://www.a.kr/*"), "training is not among"),
        ("<rsl/>", "no content"),
        ("<html><body>404</body></html>", "no RSL document"),
        ("", "cannot be parsed"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><rsl/>', "cannot be parsed: xml-entities"),
        ("<rsl>" + " " * 70_000 + "</rsl>", "longer than 64 KiB"),
    ],
)
def test_an_rsl_document_is_read_strictly(text: str, why: str) -> None:
    said = rsl.refusal_reason(text, "https://a.kr/1", matches)
    assert said.startswith(why) and bool(said) == bool(why)


def test_an_archived_rsl_document_that_robots_txt_names_is_read(tmp_path: Path) -> None:
    robots = b"User-agent: *\nAllow: /\nLicense: https://terms.kr/l.xml\nLicense: https://terms.kr/gone.xml\n"
    allowed = terms('<permits type="usage">all</permits>').encode()
    xml = (("Content-Type", "application/rsl+xml"),)
    records = (
        capture.warc_record("https://a.kr/robots.txt", WHEN, 200, (("Content-Type", "text/plain"),), robots),
        capture.warc_record("https://terms.kr/l.xml", WHEN, 200, xml, allowed),
    )
    (tmp_path / "a.warc").write_bytes(b"".join(records))
    where = Source("here", "여기", "시험", Warc((tmp_path / "a.warc",)))
    collecting.collect_local(where, collection.open_run(tmp_path / "c"), [])
    said = find("https://a.kr/1", read_latest(collection.runs(tmp_path / "c")))
    assert [(s.name, s.effect, s.quote) for s in said] == [
        ("rsl", "opt-out", "https://terms.kr/gone.xml"),
        ("rsl", "granted", "training is permitted, or not spoken of"),
    ]


@pytest.mark.parametrize(
    ("robots", "effects"),
    [
        ("User-agent: *\nContent-Signal: ai-train=no", ["opt-out"]),
        ("Content-Signal: ai-train=no", ["opt-out"]),
        ("User-agent: Googlebot\nUser-agent: *\nContent-Signal: ai-train=no", ["opt-out"]),
        ("User-agent: Googlebot\nContent-Signal: ai-train=no", ["inferred-opt-out"]),
        ("User-agent: Malmoi\nContent-Signal: ai-train=no", ["opt-out"]),
        ("User-agent: *\nAllow: /\nUser-agent: GPTBot\nContent-Signal: ai-train=no", ["inferred-opt-out"]),
    ],
)
def test_a_group_for_other_robots_only_lets_infer(robots: str, effects: list[str]) -> None:
    assert [s.effect for s in find("https://a.kr/1", build_instruments("https://a.kr/1", robots=robots))] == effects


@pytest.mark.parametrize(
    ("before", "after", "subject"),
    [
        ("This work is licensed under ", "", "own"),
        ("Images in this article are under ", "", "media"),
        ("The content of this page is under ", ", and code samples", "own"),
        (", and code samples are under the ", ".", "software"),
        ("Site design by Gil, ", "", "software"),
        ("이 글에 쓰인 사진은 ", "로 제공됩니다", "media"),
        ("글과 사진은 ", "", "own"),
        ("Photo by Gil. ", "", "media"),
        ("", " for the text", "own"),
        ("© 2024 가나 ", " · Powered by Hugo", ""),
    ],
)
def test_a_licence_is_about_the_subject_of_its_clause(before: str, after: str, subject: str) -> None:
    assert find_subject(before, after) == subject


def test_a_sentence_that_denies_or_limits_is_doubtful() -> None:
    sure = ["이 글은 CC BY 4.0 라이선스를 따릅니다.", "Except where otherwise noted, content is under CC BY 4.0."]
    unsure = ["이 글은 CC BY 4.0이 아닙니다.", "Some pages are under CC BY 4.0.", "원문은 CC BY 4.0입니다."]
    assert [is_doubtful(one) for one in (*sure, *unsure)] == [False, False, True, True, True]


def test_evidence_of_the_source_stays_where_no_rule_narrows_it() -> None:
    claim: dict[str, Any] = {"kind": "claim", "scope": "source", "quote": "", "place": "", "record": ""}
    assert decide([LicenceEvidence("CC-BY-4.0", **claim)]).use == "redistribute"
