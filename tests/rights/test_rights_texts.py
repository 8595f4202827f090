"""What Markdown, plain text and rows say against their use is heard, whatever their source claims."""

import json
import tomllib
from pathlib import Path
from typing import Any

from crawlers import defaults
from crawlers.formats import ParsedItem
from crawlers.formats.registry import FORMATS
from crawlers.rights import page_rights
from crawlers.web.site_files import is_instrument
from malmoi.archive.capture import Capture
from malmoi.licensing.rights_decision import Rights, decide
from malmoi.source import Folder, Item, LicenceClaim, LicenceRule, Source
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "rights" / "texts.toml"
CASES: list[dict[str, Any]] = tomllib.loads(DATA.read_text(encoding="utf-8"))["case"]
EACH = [(case, kind) for case in CASES for kind in case["in"]]
PROSE = "바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다. 아이들은 갯벌에 나가 조개를 캐고 물때를 배운다.\n\n"
CLAIM = LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE")
SOURCE = Source("a", "가", "나", Folder(Path("x")), claim=(CLAIM,), rule=LicenceRule(proofs=("licence-file",)))
MEDIA = {"md": "text/markdown", "txt": "text/plain", "row": "text/plain"}


def item(text: str, kind: str) -> Item:
    body: bytes | str = text if kind == "row" else text.encode()
    name = "a.csv#1" if kind == "row" else f"a.{kind}"
    return Item(name, f"folder:a/{name}", body, MEDIA[kind], "", "r")


def judged(one: Item) -> Rights:
    return decide(*defaults.evidence_for(SOURCE, {"LICENCE": "r"})(ParsedItem(one)))


@each_row(("case", "kind"), EACH, ids=lambda v: v if isinstance(v, str) else v["why"])
def test_an_item_is_judged_by_what_it_says_before_the_claim(case: dict[str, Any], kind: str) -> None:
    text = case["text"].replace("{prose}", PROSE) if case.get("front") else PROSE + case["text"]
    rights = judged(item(text, kind))
    assert (rights.use, rights.reason) == (case["use"], case["reason"]), (case["why"], rights.evidence)


def rows(name: str, body: str) -> list[Rights]:
    return [judged(one) for one in defaults.items(Capture("r", f"folder:a/{name}", "", 200, (), body.encode()))]


@each_row(
    ("fields", "use"),
    [
        ({"license": "CC BY 4.0", "license_url": "https://creativecommons.org/licenses/by-nc-nd/4.0/"}, "exclude"),
        ({"title": "가", "License URL": "https://creativecommons.org/licenses/by-nc/4.0/"}, "exclude"),
        ({"license": {"name": "CC BY-NC 4.0", "url": "https://creativecommons.org/licenses/by-nc/4.0/"}}, "exclude"),
        ({"license": {"url": "https://a.example/terms"}}, "exclude"),
        ({"license": {"name": "CC BY 4.0", "type": "open"}}, "redistribute"),
        ({"license": ["CC BY 4.0", "CC BY-ND 4.0"]}, "exclude"),
        ({"license": False}, "exclude"),
        ({"license": None, "licence": "", "라이선스": []}, "redistribute"),
        ({"공공누리 유형": 4}, "exclude"),
        ({"이용허락": "", "공공누리유형": "제4유형"}, "exclude"),
        ({"copyright": "가나 출판사"}, "redistribute"),
        ({"copyright": "ⓒ 가나 출판사. All rights reserved."}, "exclude"),
        ({"저작권": "무단 전재 및 재배포 금지"}, "exclude"),
        ({"rights": "CC BY-NC-ND"}, "exclude"),
        ({"meta": {"license": "CC-BY-NC-4.0"}}, "exclude"),
        ({"license_plate": "12가3456"}, "redistribute"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
)
def test_every_column_that_speaks_of_rights_is_heard(fields: dict[str, object], use: str) -> None:
    (found,) = rows("a.jsonl", json.dumps({"text": PROSE, **fields}, ensure_ascii=False))
    assert found.use == use, found.evidence


def test_the_licence_of_a_json_object_holds_for_each_row_in_it() -> None:
    data = {"license": "CC BY-NC-ND 4.0", "data": [{"text": PROSE}, {"text": PROSE, "license": "CC BY 4.0"}]}
    first, second = rows("a.json", json.dumps(data))
    assert (first.reason, second.reason) == ("needs-review", "needs-review")
    assert [e.scope for e in first.evidence] == ["item", "source"]


def test_a_long_text_is_read_at_both_ends() -> None:
    middle = PROSE * 2_000
    assert judged(item(f"무단 전재 금지\n\n{middle}", "txt")).use == "exclude"
    assert judged(item(f"{middle}\n무단 전재 금지", "md")).use == "exclude"
    assert judged(item(f"{PROSE}```\n{middle}\n```\n\n무단 전재 금지", "md")).use == "exclude"
    made = page_rights.page_from_item(item(middle, "txt"), "text")
    assert len(made.page.tree.text_content()) <= 2 * page_rights.MAX_END


def test_what_is_no_text_makes_no_page() -> None:
    assert {kind for kind, one in FORMATS.items() if one.marks == "source"} == {"markdown", "text", "row"}
    assert ParsedItem(Item("a.pdf", "folder:a/a.pdf", b"%PDF-1.7", "application/pdf", "", "r")).format == "pdf"


def test_lone_surrogates_and_control_characters_hide_nothing() -> None:
    assert judged(item(f"{PROSE}\ud800\x00\x01\n무단 전재 금지", "row")).use == "exclude"


def test_a_text_that_shows_a_sitemap_is_no_sitemap() -> None:
    assert not is_instrument("https://a.kr/a.md", b"# sitemap\n\n`<urlset xmlns>` begins it")
    assert not is_instrument("https://a.kr/a.html", b"<!DOCTYPE html><html><body>&lt;urlset <urlset></body>")
    for head in (b"<?xml version='1.0'?>\n", b"\xef\xbb\xbf", b"<!-- made by a-b -->\n", b""):
        assert is_instrument("https://a.kr/a.xml", head + b'<urlset xmlns="x">')
        assert is_instrument("https://a.kr/a.xml", head + b"<sitemapindex>")
