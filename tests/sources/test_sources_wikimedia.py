"""The wikis of Wikimedia: pages become documents under the licence that stands for them."""

import bz2
from pathlib import Path

import pytest

from crawlers import catalogue, defaults
from crawlers.extract import Extraction, extractor
from crawlers.formats import ParsedItem
from crawlers.platforms import wikimedia
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.archive import collection
from malmoi.archive.capture import Capture
from malmoi.licensing.licences import LICENCES
from malmoi.licensing.rights_decision import decide, terms
from malmoi.source import Dump
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_corpus import malmoi_in_process

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "sources"
WIKIS = ("kowiki", "kowikibooks", "kowikinews", "kowikisource")


def capture_of(name, body=None):
    head = (("Content-Type", "application/x-mediawiki-export+xml"),)
    raw = (DATA / f"{name}.xml").read_bytes() if body is None else body
    return Capture("urn:uuid:1", f"dump:{name}/1", "2026-09-01T00:00:00Z", 200, head, raw, name)


def pages(name):
    definition = catalogue.load(name)
    return {item.key: (item, definition.text(ParsedItem(item))) for item in definition.items(capture_of(name))}


def rights(name, item):
    archived = {wikimedia.LEGAL: "urn:uuid:2"}
    return decide(*defaults.evidence_for(catalogue.load(name).source, archived)(ParsedItem(item)))


@pytest.mark.parametrize("name", WIKIS)
def test_each_wiki_says_where_its_dump_lies_and_what_nobody_has_seen(name):
    source = catalogue.load(name).source
    assert isinstance(source.access, Dump) and source.access.url == wikimedia.dump(name).url
    assert source.name == name and source.terms is None and source.unverified and source.access.grant
    assert all(claim.url == wikimedia.LEGAL and terms(claim.licence) for claim in source.claim)
    assert set(source.rule.expected) <= LICENCES.keys()


def test_articles_are_documents_and_redirects_and_templates_are_not():
    found = pages("kowiki")
    assert {key: text.reason for key, (_, text) in found.items()} == {
        "11": "",
        "14": "links-only",
        "15": "empty",
        "16": "",
    }
    item, text = found["11"]
    assert text.text.startswith(
        "가온 산성(영어: Gaon Fortress)은 가온시에 있는 돌로 쌓은 성이다. 둘레는 1.2km이다.\n\n역사\n"
    )
    assert (item.title, item.date) == ("가온 산성", "2026-08-30")
    assert item.url == "https://ko.wikipedia.org/wiki/%EA%B0%80%EC%98%A8_%EC%82%B0%EC%84%B1"
    assert found["16"][0].url.endswith("%3F")  # a question mark in a title begins no query


@pytest.mark.parametrize(
    ("name", "key", "licence"),
    [("kowiki", "11", "CC-BY-SA-4.0"), ("kowikibooks", "41", "CC-BY-SA-4.0"), ("kowikinews", "31", "CC-BY-2.5")],
)
def test_the_licence_is_that_of_the_dump(name, key, licence):
    decided = rights(name, pages(name)[key][0])
    assert (decided.use, decided.licence) == ("redistribute", licence)


@pytest.mark.parametrize(
    ("key", "use", "licence"),
    [
        ("21", "redistribute", "LicenseRef-KR-PD-expired"),
        ("22", "redistribute", "LicenseRef-KR-CA-Art7"),
        ("23", "exclude", ""),  # free in another country says nothing here
        ("24", "exclude", "CC-BY-SA-4.0"),  # no template: whether it is original text of the wiki, a person decides
        ("25", "exclude", ""),  # a translation has two authors
    ],
)
def test_a_work_of_wikisource_is_free_for_the_reason_that_its_template_names(key, use, licence):
    item, text = pages("kowikisource")[key]
    decided = rights("kowikisource", item)
    assert (decided.reason == "needs-review") == (key == "24")
    assert (decided.use, decided.licence, text.outcome) == (use, licence, "kept")
    assert "{{" not in text.text


def test_the_evidence_quotes_the_template_and_the_author_is_named():
    item, text = pages("kowikisource")["21"]
    (said,) = item.evidence
    assert (said.kind, said.place, said.scope, said.record) == ("field", "licence template", "item", "urn:uuid:1")
    assert (said.quote, item.author) == ("{{PD-old-70}}", "한가람")
    assert text.text == "언덕에 볕이 들면\n강아지도 졸고\n나도 존다"


@each_row(
    ("markup", "licences"),
    [
        ("{{PD-old-70-1996}}", ["LicenseRef-KR-PD-expired"]),
        ("{{pd-old-100|사망=1900}}", ["LicenseRef-KR-PD-expired"]),
        ("{{PD-old-50}}", ["unknown"]),
        ("{{PD-old-50}} {{PD-대한민국-만료}}", ["LicenseRef-KR-PD-expired"]),
        ("{{PD-새 틀}}", ["unknown"]),
        ("{{CC-BY-SA-3.0}}", ["CC-BY-SA-3.0"]),
        ("{{CC-BY-NC-4.0}}", ["CC-BY-NC-4.0"]),
        ("PD-old-70은 틀의 이름이다. {{PDF|a}} {{ccc}}", []),
    ],
)
def test_a_template_that_is_not_known_gives_an_unknown_licence_and_never_a_free_one(markup, licences):
    assert [one.licence for one in wikimedia.templates(markup, "r")] == licences


def test_a_page_that_is_no_xml_costs_itself_and_not_its_block():
    body = (DATA / "kowiki.xml").read_bytes().replace(b"<title>C ", b"<title>C & ")
    found = {
        i.key: catalogue.load("kowiki").text(ParsedItem(i)).reason
        for i in catalogue.load("kowiki").items(capture_of("kowiki", body))
    }
    assert found == {"11": "", "14": "links-only", "15": "empty", "16": "damaged"}


def test_other_models_than_wiki_text_and_older_revisions_are_left_out():
    body = (DATA / "kowikibooks.xml").read_text("utf-8")
    old = body.replace(
        "<revision>",
        "<revision><id>0</id><timestamp>2001-01-01T00:00:00Z</timestamp><text>옛글</text></revision><revision>",
    )
    (item,) = catalogue.load("kowikibooks").items(capture_of("kowikibooks", old.encode()))
    assert item.date == "2026-06-01" and "옛글" not in item.body.decode()
    script = body.replace("<model>wikitext", "<model>Scribunto")
    assert not list(catalogue.load("kowikibooks").items(capture_of("kowikibooks", script.encode())))


def test_a_wiki_goes_from_its_dump_to_documents_with_their_evidence(tmp_path):
    """The file of the source as it ships, but for a dump and a licence page on this machine."""
    (tmp_path / "dump.xml.bz2").write_bytes(bz2.compress((DATA / "kowikisource.xml").read_bytes()))
    (tmp_path / "LEGAL.txt").write_text(f"Except as discussed below, {wikimedia.SHARE_ALIKE.quote}.", encoding="utf-8")
    path = tmp_path / "local.py"
    path.write_text(
        "from dataclasses import replace\nfrom pathlib import Path\n"
        "from crawlers.sources.wikimedia import kowikisource as wiki\n"
        "from crawlers.sources.wikimedia.kowikisource import items, text\nfrom malmoi.source import Dump, Expect\n"
        "claim = replace(wiki.SOURCE.claim[0], url='', file='LEGAL.txt')\n"
        f"SOURCE = replace(wiki.SOURCE, access=Dump(path=Path({str(tmp_path / 'dump.xml.bz2')!r})), claim=(claim,),\n"
        "    expect=Expect())\n",
        encoding="utf-8",
    )
    workspace = Workspace(tmp_path / "ws")
    assert collect(workspace, str(path), Progress(quiet=True)).new == 1
    runs = collection.runs(workspace.captures("kowikisource"))
    archived = tuple((name, row.record) for name, row in collection.licence_records(runs).items())
    ((_, rows),) = collection.select_current(runs)
    made = [outcome for row in rows for outcome in extractor(Extraction(str(path), archived))(row)]
    uses = {outcome.document.id: decide(outcome.document.evidence, outcome.document.signals) for outcome in made}
    assert {key: said.licence for key, said in uses.items() if said.use == "redistribute"} == {
        "kowikisource/21": "LicenseRef-KR-PD-expired",
        "kowikisource/22": "LicenseRef-KR-CA-Art7",
    }
    first = made[0].document
    assert (first.author, first.date, first.provenance.format) == ("한가람", "2026-07-01", "wikitext")
    assert (
        first.provenance.url.startswith("https://ko.wikisource.org/wiki/") and first.provenance.record == rows[0].record
    )


def test_the_same_wiki_passes_the_whole_corridor(tmp_path):
    (tmp_path / "dump.xml").write_bytes((DATA / "kowiki.xml").read_bytes())
    (tmp_path / "LEGAL.txt").write_text(wikimedia.SHARE_ALIKE.quote, encoding="utf-8")
    path = tmp_path / "local.py"
    path.write_text(
        "from dataclasses import replace\nfrom pathlib import Path\n"
        "from crawlers.sources.wikimedia import kowiki as wiki\n"
        "from crawlers.sources.wikimedia.kowiki import items, text\nfrom malmoi.source import Dump, Expect\n"
        "claim = replace(wiki.SOURCE.claim[0], url='', file='LEGAL.txt')\n"
        f"SOURCE = replace(wiki.SOURCE, access=Dump(path=Path({str(tmp_path / 'dump.xml')!r})), claim=(claim,),\n"
        "    expect=Expect())\n",
        encoding="utf-8",
    )
    recipe = tmp_path / "r.toml"
    general = (ROOT / "flows" / "recipes" / "general.toml").read_text("utf-8")
    recipe.write_text(f"sources = [{str(path)!r}]\n" + general, encoding="utf-8")
    home = tmp_path / "ws"
    for command in (("collect", path), ("curate", recipe)):
        done = malmoi_in_process(*command, "--workspace", home)
        assert done.returncode == 0, done.stderr
    (ledger,) = (home / "2-documents").glob("*/ledger.json")
    said = ledger.read_text("utf-8")
    assert "links-only" in said and "empty" in said
