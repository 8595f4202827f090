"""What a source declares of its access point is checked when its file is loaded, with the next step in the message."""

from pathlib import Path

import pytest

from crawlers import catalogue
from crawlers.access_rules import FORMATS, find_absent, find_faults
from crawlers.local_files import index_archives, read_archive
from crawlers.proofs import read_licence_files
from malmoi.archive.capture import warc_record
from malmoi.errors import CallError
from malmoi.source import (
    Api,
    CommonCrawl,
    Dump,
    Expect,
    Feed,
    Folder,
    Git,
    LicenceClaim,
    LicenceRule,
    Manners,
    OaiPmh,
    Site,
    Sitemap,
    Source,
    Warc,
)
from tests.builders.rows import each_row
from tests.builders.small_corpus import malmoi_in_process

A = "https://office.example/"
CC = "CC-MAIN-2026-34"
FAULTS = [
    (Site((A,), ("/news/",)), "access.scope holds '/news/', not an address; write it in full"),
    (Site(("office.example",), (A,)), "access.start holds 'office.example', not an address"),
    (Site((A,), (A,), deny=("/private",)), "access.deny holds '/private', not an address"),
    (Site((A,), (f"{A}news/",)), "is outside access.scope or inside access.deny"),
    (Site((A,), (A,), max_pages=0), "access.max_pages is 0; write at least 1"),
    (Site(("http://127.0.0.1:8000/",), ("http://127.0.0.1:8000/",)), "Manners(loopback=('127.0.0.1:8000',))"),
    (Site(("http://localhost/",), ("http://localhost/",)), "Manners(loopback=('localhost:80',))"),
    (Site(("http://10.0.0.1/",), ("http://10.0.0.1/",)), "not of the public web (guard-private)"),
    (Sitemap((f"{A}s.xml",), ("news/",)), "access.scope holds 'news/'"),
    (Feed(("rss",), (A,)), "access.urls holds 'rss'"),
    (Api((A,), (A,), key="A_KEY"), "names the key A_KEY but not its parameter; add parameter=…"),
    (Api((A,), (A,), grant="guide"), "access.grant holds 'guide'"),
    (OaiPmh(f"{A}oai?verb=Identify"), "an OaiPmh needs a base URL without a query"),
    (OaiPmh(f"{A}oai", formats=()), "at least one metadata prefix in formats"),
    (OaiPmh(f"{A}oai", formats=("mods",)), "access.formats holds 'mods', which is not read; write some of oai_dc"),
    (OaiPmh(f"{A}oai", start="2026"), "start='2026' of its OaiPmh is not a day like 2026-11-01"),
    (Dump(), "a Dump needs one of url= and path=; write one"),
    (Dump(f"{A}a.xml", record="<page>"), "write the name of the XML element that is one record, or 'line'"),
    (Dump(f"{A}a.jsonl", record="lines"), "or 'line' for a file of lines"),
    (Git("file:///srv/law.git"), "a repository is fetched over https only; for files here write a Folder"),
    (Git("https://git.office.example/a/b"), "clone the repository and write a Folder, or serve it at http://127.0.0.1"),
    (Git("https://github.com/a/b", commit="abc"), "'abc' is not a commit; give 40 hexadecimal digits"),
    (CommonCrawl("2026 34"), "write it like CC-MAIN-2026-34"),
    (CommonCrawl(CC, hosts=("https://www.office.example/",)), "write it like www.office.example or *.office.example"),
    (CommonCrawl(CC, languages=("ko",)), "access.languages holds 'ko'; write it like kor (ISO 639-3)"),
    (CommonCrawl(CC, media=("html",)), "write it like text/html"),
    (CommonCrawl(CC, data="data.example"), "access.data holds 'data.example', not an address"),
    (Folder(Path("/data"), include=("/data/*.txt",)), "it is relative to the folder, as in **/*.hwp"),
]


@each_row(("access", "words"), FAULTS)
def test_a_wrong_access_point_is_named_with_the_next_step(access, words):
    found = list(find_faults(Source("a", "A", "B", access)))
    assert found and any(words in one for one in found), found


@each_row(
    ("more", "words"),
    [
        ({"manners": Manners(loopback=("127.0.0.1",))}, "manners.loopback is ('127.0.0.1',); it takes host:port"),
        ({"manners": Manners(delay=-1)}, "manners need delay >= 0"),
        ({"expect": Expect(9, 1)}, "expect has at_least=9 above at_most=1"),
        ({"claim": (LicenceClaim("MIT", "MIT License"),)}, "names neither a file nor a page"),
        ({"claim": (LicenceClaim("MIT", "MIT License", file="a", url=A),)}, "names both file= and url="),
        ({"claim": (LicenceClaim("MIT", "MIT License", file="LICENCE"),)}, "a Site has no files; name the page"),
        ({"claim": (LicenceClaim("MIT", "MIT License", url="/licence"),)}, "claim.url holds '/licence'"),
        ({"rule": LicenceRule(("kogl-block",), (("/news/", ".kogl"),))}, "a selector or claim holds '/news/'"),
    ],
)
def test_the_rest_of_a_declaration_is_checked_as_well(more, words):
    assert words in next(find_faults(Source("a", "A", "B", Site((A,), (A,)), **more)))


@pytest.mark.parametrize(
    "access",
    [
        Site((), ()),  # of the catalogue: an environment variable of the operator gives the addresses
        Site(("http://127.0.0.1:80/",), ("http://127.0.0.1/",)),
        Dump(path=Path("/data/a.xml.bz2"), record="dc:record"),
        Dump("https://data.example/a.xml", record="민원"),
        OaiPmh(f"{A}oai", formats=FORMATS, start="2026-01-01"),
        CommonCrawl(CC, hosts=("*.go.kr", "www.korea.kr"), data="s3://bucket/prefix"),
        Git("https://github.com/a/b"),
    ],
)
def test_a_right_access_point_has_no_fault(access):
    assert not list(find_faults(Source("a", "A", "B", access, manners=Manners(loopback=("127.0.0.1:80",)))))


def test_a_source_with_items_of_its_own_may_read_other_formats():
    assert not list(find_faults(Source("a", "A", "B", OaiPmh(f"{A}oai", formats=("mods",))), reads_items=True))


def test_the_file_is_refused_when_it_is_shown_and_so_is_a_missing_folder(tmp_path):
    path = tmp_path / "a.py"
    head = "from pathlib import Path\nfrom malmoi.source import *\nSOURCE = "
    path.write_text(f"{head}Source('a', 'A', 'B', Site(('https://a.kr/',), ('/news/',)))\n", "utf-8")
    with pytest.raises(CallError, match=r"a\.py: access\.scope holds '/news/'"):
        catalogue.load(str(path))
    assert malmoi_in_process("sources", str(path), "--workspace", str(tmp_path / "w")).returncode == 2
    path.write_text(f"{head}Source('a', 'A', 'B', Folder(Path({str(tmp_path / 'none')!r})))\n", "utf-8")
    assert find_absent(catalogue.load(str(path)).source) == [tmp_path / "none"]
    shown = malmoi_in_process("sources", str(path), "--workspace", str(tmp_path / "w"))
    assert shown.returncode == 2 and "does not exist; correct the path" in shown.stderr
    (tmp_path / "none").mkdir()
    assert malmoi_in_process("sources", str(path), "--workspace", str(tmp_path / "w")).returncode == 0


@pytest.mark.parametrize(
    "access", ["Folder(Path({0!r}))", "Warc((Path({0!r}),))", "Dump(path=Path({0!r}) / 'a.jsonl')"]
)
def test_the_licence_file_of_a_claim_is_looked_for_when_the_source_is_shown(tmp_path, access):
    (tmp_path / "a.jsonl").touch()
    path, proof = tmp_path / "own.py", "dump-claim" if access.startswith("Dump") else "licence-file"
    path.write_text(
        f"from pathlib import Path\nfrom malmoi.source import *\nSOURCE = Source('own', 'A', 'B', "
        f"{access.format(str(tmp_path))}, claim=(LicenceClaim('CC-BY-4.0', 'CC BY 4.0', file='LICENCE'),), "
        f"rule=LicenceRule(({proof!r},), expected=('CC-BY-4.0',)))\n", "utf-8"
    )  # fmt: skip

    def show(text):
        if text:
            (tmp_path / "LICENCE").write_text(text, "utf-8")
        return malmoi_in_process("sources", str(path), "--workspace", str(tmp_path / "w"))

    shown = show("")
    assert shown.returncode == 3 and f"{tmp_path / 'LICENCE'} does not exist; a claim needs" in shown.stderr
    shown = show("다른 말이다.")
    assert (
        shown.returncode == 3 and "does not say 'CC BY 4.0'" in shown.stderr and "begins '다른 말이다.'" in shown.stderr
    )
    assert show("CC BY 4.0").returncode == 0


@pytest.mark.parametrize("path", ["~/pages", "~/pages/a.warc"])
def test_an_archive_below_the_home_folder_is_read_with_its_licence_file(tmp_path, monkeypatch, path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "LICENCE").write_text("CC BY 4.0")
    page = warc_record("https://a.kr/1", "2030-01-02T03:04:05Z", 200, (("Content-Type", "text/html"),), b"<p>a</p>")
    (tmp_path / "pages" / "a.warc").write_bytes(page)
    claim = LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE")
    source = Source("own", "A", "B", Warc((Path(path),)), (claim,), LicenceRule(("licence-file",)))
    assert not find_absent(source)
    assert [name for name, _, _ in read_licence_files(source)] == ["LICENCE"]
    assert [row.url for row in index_archives(source, source.access, read_archive)[0]] == ["https://a.kr/1"]


def test_a_web_source_with_a_licence_file_is_first_told_to_name_a_page(tmp_path):
    """Not to declare the proof of files, which it could never give."""
    path = tmp_path / "own.py"
    path.write_text(
        "from malmoi.source import *\n"
        "SOURCE = Source('own', 'A', 'B', Feed(('https://a.kr/rss',), ('https://a.kr/',)), "
        "claim=(LicenceClaim('MIT', 'MIT License', file='LICENCE'),), rule=LicenceRule(('dump-claim',)))\n", "utf-8"
    )  # fmt: skip
    with pytest.raises(CallError, match="a Feed has no files; name the page"):
        catalogue.load(str(path))
