"""What a host says about all its pages reaches each of them, and the pages of no other host."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from crawlers import collect as collecting
from crawlers import extract
from crawlers.formats import ParsedItem
from crawlers.rights import claims
from crawlers.rights.policy_files import (
    Instrument,
    build_instruments,
    find,
    read_latest,
    select_for_hosts,
)
from crawlers.web.site_files import INSTRUMENT
from filters import rights as rights_filter
from malmoi.apply import Dropped, Kept
from malmoi.archive import capture, collection
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing import licences
from malmoi.licensing.rights_decision import decide
from malmoi.source import Extracted, Folder, Item, LicenceClaim, Source, Warc
from tests.builders.rows import each_row

CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "rights" / "instruments.jsonl").read_text("utf-8").splitlines()
]
WHEN = "2026-01-02T03:04:05Z"
PROSE = "<p>" + "바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다. " * 12 + "</p>"
HTML = (("Content-Type", "text/html; charset=utf-8"),)


@each_row("case", CASES, ids=lambda case: case["why"])
def test_a_file_of_the_host_speaks_for_the_page(case: dict[str, Any]) -> None:
    url = f"https://a.kr{case['path']}"
    given = (
        build_instruments(url, robots=case["text"])
        if case["kind"] == "robots"
        else build_instruments(
            url, well_known={{"tdmrep": "tdmrep.json", "ai-txt": "ai.txt"}[case["kind"]]: case["text"]}
        )
    )
    assert [s.effect for s in find(url, given)] == case["effects"]
    assert find(f"https://b.kr{case['path']}", given) == () == find(f"http://a.kr{case['path']}", given)


def page(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>".encode()


def collected(folder: Path, *records: bytes) -> list[collection.Run]:
    archive = folder / "a.warc.gz"
    archive.write_bytes(b"".join(records))
    where = Source("here", "여기", "시험", Warc((archive,)))
    collecting.collect_local(where, collection.open_run(folder / "c"), collection.runs(folder / "c"))
    again = collecting.collect_local(where, collection.open_run(folder / "c"), collection.runs(folder / "c"))
    assert again["new"] == again["gone"] == 0
    return collection.runs(folder / "c")


def extracted(folder: Path, runs: list[collection.Run], said: tuple[Instrument, ...] = ()) -> list[Kept | Dropped]:
    definition = folder / "here.py"
    definition.write_text(
        "from malmoi.source import LicenceRule, Source, Warc\n"
        "RULE = LicenceRule(proofs=('rel-license', 'kogl-block'), selector=(('', 'head > link, .kogl'),))\n"
        "SOURCE = Source('here', '', '', Warc(()), rule=RULE)\n",
        encoding="utf-8",
    )
    one = extract.extractor(extract.Extraction(str(definition), (), said))
    return [outcome for _, rows in collection.select_current(runs) for row in rows for outcome in one(row)]  # type: ignore[misc]


def test_an_archived_reservation_reaches_every_page_of_its_host(tmp_path: Path) -> None:
    licensed = page(PROSE, '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">')
    rule = b'[{"location": "/closed/", "tdm-reservation": 1}]'
    runs = collected(
        tmp_path,
        capture.warc_record("https://a.kr/.well-known/tdmrep.json", WHEN, 200, (), rule),
        capture.warc_record("https://a.kr/robots.txt", WHEN, 301, (("Location", "/r/robots.txt"),), b""),
        capture.warc_record("https://a.kr/m.xml", WHEN, 200, (("Content-Type", "text/xml"),), b"<urlset/>"),
        *(capture.warc_record(f"https://a.kr/{part}/1", WHEN, 200, HTML, licensed) for part in ("closed", "open")),
    )
    said = read_latest(runs)
    assert [(one.origin, one.kind) for one in said] == [("https://a.kr", "tdmrep")]
    assert {row.url for run in runs for row in run.rows if row.kind == INSTRUMENT} == {
        "https://a.kr/.well-known/tdmrep.json",
        "https://a.kr/m.xml",
    }
    assert select_for_hosts(said, ["https://b.kr/1"]) == () and select_for_hosts(said, ["https://a.kr/9"]) == said
    documents = [o.document for o in extracted(tmp_path, runs, said)]
    uses = {d.id: decide(d.evidence, d.signals).use for d in documents}
    assert uses == {"here/https://a.kr/closed/1": "exclude", "here/https://a.kr/open/1": "redistribute"}
    assert documents[0].signals[0].record == said[0].record


@pytest.mark.parametrize("address", ["http://[x](y)/", "http://[", "//[x", "http://a.kr:x:y/", "http://\u2100.kr/"])
def test_an_address_that_nobody_can_read_costs_no_source(tmp_path: Path, address: str) -> None:
    licence = "<license><prohibits type='usage'>all</prohibits></license>"
    document = f"<rsl><content url='{address}'>{licence}</content></rsl>"
    given = build_instruments(
        "https://a.kr/1", f"License: {address}\nLicense: /l.xml", {"https://a.kr/l.xml": document}
    )
    assert all(signal.effect for signal in find("https://a.kr/1", given))
    headers = (("Location", address),)
    runs = collected(
        tmp_path,
        capture.warc_record("https://a.kr/robots.txt", WHEN, 301, headers, b""),
        capture.warc_record("https://a.kr/1", WHEN, 200, HTML, page(f"<div about='{address}'>{PROSE}</div>")),
    )
    assert read_latest(runs) == () and len(extracted(tmp_path, runs)) == 1


def test_type_0_is_not_believed_on_a_page_that_dates_itself_before_it(tmp_path: Path) -> None:
    image = '<img src="/new_img_opentype00.png" alt="공공누리 제0유형">'
    mark = f'<div class="kogl">{image}<p>본 저작물은 공공누리 제0유형에 따라 자유롭게 이용할 수 있습니다.</p></div>'
    dated = '<meta property="article:published_time" content="{}-03-02T00:00:00+09:00">'
    runs = collected(
        tmp_path,
        *(
            capture.warc_record(f"https://a.kr/{year}", WHEN, 200, HTML, page(PROSE + mark, dated.format(year)))
            for year in (2019, 2026)
        ),
    )
    old, new = (o.document for o in extracted(tmp_path, runs))
    assert (old.date[:4], new.date[:4]) == ("2019", "2026")
    assert decide(new.evidence).licence == "LicenseRef-KOGL-0"
    assert decide(old.evidence).use == "exclude"


def test_a_lone_surrogate_anywhere_in_a_document_stops_nothing() -> None:
    bad = "\ud800"
    said = LicenceEvidence("MIT", "row", "item", bad, bad, "r")
    item = Item(f"k{bad}", f"https://a.kr/{bad}", b"", "text/html", "", "r", title=bad)

    def evidence(_: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        return (said,), (Signal("noai", "note", bad, bad, "r"),)

    shown = capture.Capture("r", "https://a.kr/", WHEN, 200, (), b"x", "here")
    outcome = extract.make_document(shown, "digest", ParsedItem(item), Extracted("글", author=bad), evidence)
    json.dumps(dataclasses.asdict(outcome.document), ensure_ascii=False).encode("utf-8")
    assert outcome.document.provenance.payload_sha256 == "digest"


@pytest.mark.parametrize("body", [b'[{"name": "x"}]', b"a,b\n1,2,3\n", b'{"a": '])
def test_a_table_without_rows_is_one_dropped_document_with_its_error(tmp_path: Path, body: bytes) -> None:
    name = "x.csv" if body.startswith(b"a,") else "x.json"
    media = (("Content-Type", "text/csv" if name == "x.csv" else "application/json"), ("X-Robots-Tag", "noai"))
    runs = collected(tmp_path, capture.warc_record(f"https://a.kr/{name}", WHEN, 200, media, body))
    (outcome,) = extracted(tmp_path, runs)
    assert isinstance(outcome, Dropped) and outcome.verdict.reason == "unreadable-table"
    assert f"https://a.kr/{name}" in outcome.document.label("error")
    assert [one.effect for one in outcome.document.signals] == ["opt-out"], "the headers still count"


@each_row(
    ("only", "url", "covered"),
    [
        ("https://a.kr/part", "https://a.kr/part/1", True),
        ("https://a.kr/part", "https://a.kr/part?x=1", True),
        ("https://a.kr/part", "https://a.kr/partner/1", False),
        ("https://a.kr/part/", "https://a.kr/part/../other", False),
        ("https://a.kr", "https://a.kr.evil.com/", False),
        ("https://a.kr", "https://a.kr@evil.com/", False),
        ("https://A.kr:443/", "https://a.kr/1", True),
        ("https://a.kr/", "http://a.kr/1", False),
        ("", "https://a.kr/1", False),
    ],
)
def test_a_claim_for_a_part_ends_where_the_part_does(only: str, url: str, covered: bool) -> None:
    claim = LicenceClaim("MIT", "MIT License", file="LICENSE", only=(only,))
    where = Source("a", "가", "나", Warc(()), claim=(claim,))
    found = claims.from_claim(where, Item("k", url, "", "text/html", "", "r"), {"LICENSE": "r1"})
    assert bool(found) == covered


def test_a_row_that_names_its_own_page_stays_in_its_file() -> None:
    claim = LicenceClaim("MIT", "MIT License", file="LICENSE", only=("folder:a/x.csv",))
    where = Source("a", "가", "나", Folder(Path("x")), claim=(claim,))
    row = Item("x.csv#3", "https://elsewhere.kr/3", "", "text/plain", "", "r")
    assert claims.from_claim(where, row, {"LICENSE": "r1"})
    assert not claims.from_claim(where, dataclasses.replace(row, key="x.csv2#3"), {"LICENSE": "r1"})


def test_a_licence_page_is_read_as_people_read_it() -> None:
    korean = "<html><head><meta charset=euc-kr></head><body>공공누리 <b>제1유형</b><!-- 제4유형 --></body></html>"
    shown = claims.readable_text(korean.encode("cp949"), "text/html", name="https://a.kr/licence")
    claims.check_quote(LicenceClaim("LicenseRef-KOGL-1", "공공누리 제1유형", url="https://a.kr/licence"), shown)
    assert "제4유형" not in shown
    assert claims.readable_text("공공누리 제1유형".encode("cp949"), "", name="LICENCE.txt") == "공공누리 제1유형"


def test_the_version_of_the_filter_follows_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    before = licences.table_digest()
    changed = dict(licences.LICENCES)
    changed["MIT"] = dataclasses.replace(changed["MIT"], use="exclude")
    monkeypatch.setattr(licences, "LICENCES", changed)
    assert licences.table_digest() != before
    assert rights_filter.VERSION > 0 and licences.table_digest() in extract.versions()


def test_an_instrument_can_be_sent_to_a_worker() -> None:
    (one,) = build_instruments("https://a.kr/", robots="User-agent: *")
    assert pickle.loads(pickle.dumps(one)) == one
