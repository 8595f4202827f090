"""Pages of government offices in an open archive: each is decided by its own proof, and by what the recipe trusts."""

from dataclasses import replace
from pathlib import Path

import pytest

from crawlers import catalogue, extract
from crawlers.collect import finish_crawl
from crawlers.fetch import common_crawl_collector
from crawlers.fetch.job import Job
from filters import rights
from malmoi.archive import collection
from tests.fetch.small_crawl import Page, robots, write

PAGE = (Path(__file__).parents[1] / "data" / "sources" / "cc_government_page.html").read_text(encoding="utf-8")
MARK = (
    '<div class="kogl"><a href="https://www.kogl.or.kr/info/licenseType{0}.do">'
    '<img src="/img/new_img_opentype0{0}.png" alt="공공누리 제{0}유형"></a></div>'
)
PAGES = {
    "none": "",
    "type1": MARK.format(1),
    "type4": MARK.format(4),
    "unknown": MARK.format(9),
    "words": "<p>이 누리집의 글은 누구나 자유롭게 볼 수 있습니다.</p>",
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Name → document, of one collection by the source of the catalogue from an archive in a folder."""
    folder = tmp_path_factory.mktemp("crawl")
    hosts = ("www.garam.go.kr", "www.shop.co.kr")
    pages = [
        Page(f"https://{host}/news/{name}", PAGE.replace("<!-- licence -->", mark).encode())
        for host in hosts
        for name, mark in PAGES.items()
    ]
    write(folder / "archive", [*pages, *map(robots, hosts)])
    definition = catalogue.load("cc_government")
    source = replace(definition.source, access=replace(definition.source.access, data=folder / "archive"))
    home = folder / "captures"
    run = collection.open_run(home)
    common_crawl_collector.collect(Job("cc_government", run), replace(definition, source=source), source.access)
    assert finish_crawl(source, run, [])["new"] == len(PAGES)  # none of the shop
    read = extract.extractor(extract.Extraction("cc_government", ()))
    found = {}
    for _, rows in collection.select_current(collection.runs(home)):
        for row in rows:
            (outcome,) = read(row)
            found[row.url.rpartition("/")[2]] = outcome.document
    return found


def test_a_page_has_its_text_its_own_address_and_the_date_of_the_crawl(documents):
    one = documents["type1"]
    assert one.id == "cc_government/https://www.garam.go.kr/news/type1" and "둑 열두 곳을 점검" in one.text
    assert one.provenance.fetched == "2026-08-10T01:02:03Z" and one.provenance.format == "html"


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_granted_unless_the_recipe_trusts_its_proof(documents, name):
    assert rights.judge(documents[name]).outcome == "drop"
    trusted = rights.judge(documents[name], trust=("kogl-block",))
    assert (trusted.outcome == "keep") == (name == "type1"), trusted
    assert dict(trusted.labels)["use"] == ("redistribute" if name == "type1" else "exclude")


def test_an_unknown_type_and_free_words_are_no_proof(documents):
    for name in ("none", "unknown", "words"):
        assert not [one for one in documents[name].evidence if one.kind.startswith("web:")], name


def test_only_pages_of_the_named_offices_are_asked_for():
    source = catalogue.load("cc_government").source
    assert source.access.hosts == ("*.go.kr", "www.korea.kr") and not source.claim and not source.rule.proofs
