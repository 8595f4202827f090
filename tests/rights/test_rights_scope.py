"""Documents, RSL files, cards and the rule of a source: who speaks for a text, and how far."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from crawlers import collect as collecting
from crawlers import defaults
from crawlers.formats import ParsedItem
from crawlers.formats import docx as reader
from crawlers.rights import licence_fields, policy_files
from crawlers.rights.policy_files import build_instruments, find, read_latest
from malmoi.archive import capture, collection
from malmoi.licensing.rights_decision import Rights, decide
from malmoi.source import Extracted, Folder, Item, LicenceRule, Source, Warc
from tests.builders.rows import each_row

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
    ("last", "reason", "licence"),
    [
        (KOGL_1, "needs-review", "LicenseRef-KOGL-1"),
        ("공공누리 제1유형: 출처표시", "needs-review", "LicenseRef-KOGL-1"),
        (KOGL_1.replace("1", "4"), "restricted-licence", "LicenseRef-KOGL-4"),
        ("무단 전재 및 재배포 금지", "refused", ""),
        ("", "no-licence", ""),
    ],
)
def test_the_text_of_a_document_proves_nothing_and_may_refuse(last: str, reason: str, licence: str) -> None:
    said = judged(docx(PROSE, PROSE, PROSE, PROSE, last))
    assert (said.use, said.reason, said.licence) == ("exclude", reason, licence), said.evidence


def test_a_labelled_line_that_the_source_declares_licenses_a_document() -> None:
    source = replace(SOURCE, rule=LicenceRule(proofs=("field",), fields=("이용조건",)))
    said = judged(docx(PROSE, PROSE, PROSE, PROSE, "이용조건: 공공누리 제1유형"), source)
    assert (said.use, said.licence) == ("redistribute", "LicenseRef-KOGL-1"), said.evidence


def test_the_text_of_a_document_is_extracted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = reader.extract

    def counted(item: Item) -> Extracted:
        calls.append(item)
        return real(item)

    monkeypatch.setattr(reader, "extract", counted)
    parsed = ParsedItem(docx(PROSE, KOGL_1))
    defaults.evidence_for(SOURCE, {})(parsed.complete(defaults.text(parsed)))
    assert len(calls) == 1


def test_what_a_pdf_states_of_itself_is_evidence() -> None:
    said = {
        "cc:license": "http://creativecommons.org/licenses/by/4.0/",
        "dc:rights": "가나 출판사",
        "tdm:reservation": "0",
    }
    evidence, signals = licence_fields.read_xmp(said, "r")
    assert [(e.licence, e.scope, e.place) for e in evidence] == [("CC-BY-4.0", "item", "XMP cc:license")]
    assert [s.effect for s in signals] == ["granted"]
    assert [e.licence for e in licence_fields.read_xmp({"dc:rights": "All rights reserved"}, "r")[0]] == ["none"]
    assert decide(*licence_fields.read_xmp({**said, "tdm:reservation": "1"}, "r")).reason == "opt-out"


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (LicenceRule(boards=("^https://a[.]kr/[0-9]",), author="홍보과", expected=("CC-BY-4.0",)), []),
        (LicenceRule(boards=("^https://a[.]kr/news/",)), ["outside-boards"]),
        (LicenceRule(boards=("^https://a[.]kr/news/", "/1$")), []),
        (LicenceRule(boards=("^(https://|[a-z./]+)+[0-9]{3}$",), author=r"^\w+과$"), ["outside-boards"]),
        (LicenceRule(author="기획과"), ["author"]),
        (LicenceRule(expected=("CC-BY-SA-4.0",)), ["unexpected-licence"]),
        (LicenceRule(boards=("/news/",), author="기획과"), ["outside-boards", "author"]),
    ],
)
def test_an_item_outside_what_its_source_declares_needs_a_review(rule: LicenceRule, names: list[str]) -> None:
    item = replace(
        page(f'<article><p>{PROSE}</p><p class="ccl"><a href="{CC}">CC BY 4.0</a></p></article>'), author="홍보과"
    )
    strict = replace(rule, proofs=("rel-license",), selector=(("https://a.kr/", ".ccl"),))
    said = judged(item, replace(SOURCE, rule=strict))
    assert [s.name for s in said.signals] == names and said.reason == ("needs-review" if names else "")
    assert all(s.effect == "review" and s.quote and s.place for s in said.signals)


def test_a_closed_item_outside_what_is_expected_needs_nobody() -> None:
    nc = CC.replace("/by/", "/by-nc/")
    item = page(f'<article><p>{PROSE}</p><p class="ccl"><a href="{nc}">CC BY-NC 4.0</a></p></article>')
    rule = LicenceRule(proofs=("rel-license",), selector=(("", ".ccl"),), expected=("CC-BY-4.0",))
    assert judged(item, replace(SOURCE, rule=rule)).reason == "restricted-licence"


@pytest.mark.parametrize(
    ("selector", "use"),
    [
        ((("https://a.kr/", ".ccl"),), "redistribute"),
        ((("https://b.kr/", ".ccl"), ("", ".ccl")), "redistribute"),
        ((("https://a.kr/", ".other"), ("", ".ccl")), "exclude"),
        ((("https://b.kr/", ".ccl"),), "exclude"),
        ((), "exclude"),
    ],
)
def test_the_first_selector_whose_prefix_fits_names_the_place(selector: tuple[tuple[str, str], ...], use: str) -> None:
    item = page(f'<article><p>{PROSE}</p><p class="ccl"><a href="{CC}">CC BY 4.0</a></p></article>')
    rule = LicenceRule(proofs=("rel-license",), selector=selector)
    assert judged(item, replace(SOURCE, rule=rule)).use == use


CC = "https://creativecommons.org/licenses/by/4.0/"


def page(body: str) -> Item:
    whole = f"<!DOCTYPE html><html><head><meta charset=utf-8></head><body>{body}</body></html>"
    return Item("k", "https://a.kr/1", whole.encode(), "text/html", "utf-8", "r")


def terms(inside: str, url: str = "/*", more: str = "") -> str:
    space = "https://rslstandard.org/rsl"
    return f'<rsl xmlns="{space}"><content url="{url}"{more}><license>{inside}</license></content></rsl>'


@each_row(
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
    said = policy_files.refusal_reason(text, "https://a.kr/1")
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
