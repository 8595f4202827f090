"""A repository, an archive, a folder or an attached file that is almost right is named as well."""

import json

import pytest

from flows.probing.probe_source import probe
from malmoi.archive import capture
from malmoi.workspace import Workspace
from tests.builders import small_oai
from tests.builders.small_archive import prose
from tests.builders.small_oai import Repository, Work, day
from tests.builders.small_site import Answer, serve
from tests.fetch import small_crawl

BY = "https://creativecommons.org/licenses/by/4.0/"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def compare(folder, source, field, state, words):
    """Probe the source in a file, and compare one check and the outcome."""
    path = folder / "s.py"
    if source:
        path.write_text(source, "utf-8")
    found = probe(Workspace.open(folder / "w"), str(path if source else folder / "crawl.py"))
    checks = [one for one in found.checks if one.field == field]
    assert [one.state for one in checks] == [state] and words in checks[0].says, found.checks
    assert (found.outcome == "holds") == (state == "holds")


REPOSITORY = """from malmoi.source import *
from crawlers.rights.repository_rights import FIELDS
SOURCE = Source("s", "t", "p", OaiPmh("{base}"), rule=LicenceRule(("field",), fields=FIELDS, expected=("CC-BY-4.0",)),
    expect=Expect(5, 1000), manners=Manners(0.0, loopback=("{host}",)))
"""


def work(number, rights=BY, abstract="", **more):
    return Work(number, day(number), f"제목 {number}", abstract or prose(number, 12), rights=(rights,), **more)


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(
    ("size", "make", "field", "state", "words"),
    [
        (9, work, "licence", "holds", "CC-BY-4.0 ×9 in 9 of 9"),
        (2, work, "count", "differs", "2; the source expects 5 to 1,000"),
        (9, lambda n: work(n, "기관에 문의"), "licence", "differs", "metadata.dc.rights is '기관에 문의'"),
        (9, lambda n: work(n, BY.replace("by", "by-nc-nd")), "licence", "differs", "CC-BY-NC-ND-4.0"),
        (9, lambda n: work(n, abstract="짧다"), "kept", "differs", "length: too-short ×9"),
        (9, lambda n: work(n, abstract=prose(1, 12)), "copies", "differs", "1 of 9 texts are distinct"),
        (9, lambda n: work(n, deleted=True), "answers", "failed", "its lists name no record but deleted ones"),
    ],
)
def test_a_repository(tmp_path, size, make, field, state, words):
    with small_oai.serve(Repository(size=size, work=make)) as served:
        source = REPOSITORY.format(base=served.base, host=served.host.removeprefix("http://"))
        compare(tmp_path, source, field, state, words)


def marked(number, **more):
    link = f'<div class="ccl"><a rel="license" href="{BY}">CC BY 4.0</a></div>'
    text = f"<article><h1>공지 {number}</h1><p>{prose(number, 12)}</p></article>{link}"
    return small_crawl.Page(
        f"https://www.moj.go.kr/{number}.html", f"<html><body>{text}</body></html>".encode(), **more
    )


@pytest.mark.parametrize(
    ("pages", "question", "field", "state", "words"),
    [
        (marked, "hosts=('*.go.kr',)", "licence", "holds", "CC-BY-4.0 ×3 in 3 of 3"),
        (marked, "hosts=('www.other.go.kr',)", "answers", "differs", "compare the question of the source"),
        (lambda n: marked(n, languages="eng"), "hosts=()", "count", "differs", "0; the source expects 1 to"),
        (small_crawl.page, "hosts=()", "licence", "differs", "the selector '.ccl' matches nothing ×3"),
    ],
)
def test_an_open_archive(tmp_path, pages, question, field, state, words):
    data = small_crawl.write(tmp_path / "archive", [pages(n) for n in range(9)])
    rule = 'LicenceRule(("rel-license",), (("https://www.moj.go.kr/", ".ccl"),), expected=("CC-BY-4.0",))'
    small_crawl.source(tmp_path, str(data), question, rule)
    compare(tmp_path, "", field, state, words)


FILES = """from pathlib import Path
from malmoi.source import *
SOURCE = Source("s", "t", "p", {access}, claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),),
    rule=LicenceRule(("licence-file",)))
"""


def page(number):
    return f"<html><body><article><p>{prose(number, 12)}</p></article></body></html>"


@pytest.mark.parametrize(
    ("name", "make", "field", "state", "words"),
    [
        ("{}.txt", lambda n: prose(n, 12), "text", "holds", "in 3 of 3"),
        ("{}.txt", lambda n: "짧다", "kept", "differs", "length: too-short ×3"),
        ("{}.hwp", page, "type", "differs", "html, named like hwp ×3"),
        ("{}.pdf", lambda n: "", "text", "differs", "without text: empty ×3"),
    ],
)
def test_a_folder(tmp_path, name, make, field, state, words):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "LICENCE").write_text("CC BY 4.0")
    for number in range(9):
        (folder / name.format(number)).write_text(make(number), "utf-8")
    access = f"Folder(Path({str(folder)!r}), include=('*.*',))"
    compare(tmp_path, FILES.format(access=access), field, state, words)


def test_an_archive_that_is_cut_off(tmp_path):
    (tmp_path / "LICENCE").write_text("CC BY 4.0")
    records = [
        capture.warc_record(f"https://a.kr/{n}", "2030-01-01T00:00:00Z", 200, tuple(HTML.items()), page(n).encode())
        for n in range(9)
    ]
    (tmp_path / "a.warc").write_bytes(b"".join(records)[:-200])
    access = f"Warc((Path({str(tmp_path / 'a.warc')!r}),))"
    compare(tmp_path, FILES.format(access=access), "answers", "differs", "1 record cannot be read")


ATTACHED = """
import json
from dataclasses import replace
from crawlers import attachments, defaults
from malmoi.document import LicenceEvidence
from malmoi.source import *
SOURCE = Source("s", "t", "p", Api(("{base}/list",), ("{base}/",)), manners=Manners(0.0, loopback=("{host}",)),
    rule=LicenceRule(("field",), fields=("이용조건",), expected=("LicenseRef-KOGL-1",)))
def follow(capture):
    for path, words in json.loads(capture.body) if "/list" in capture.url else ():
        yield Attachment("{base}" + path, (("이용조건", words),))
def items(capture):
    if (said := attachments.read(capture)) is not None:
        words, place = said.facts["이용조건"], f"{{said.record}}/이용조건"
        licence = "LicenseRef-KOGL-1" if words == "제1유형" else "unknown"
        proof = LicenceEvidence(licence, "field", "item", words, place, capture.record)
        yield from (replace(one, evidence=(proof,)) for one in defaults.items(capture))
"""


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(
    ("name", "make", "field", "state", "words"),
    [
        ("{}.txt", lambda n: prose(n, 12), "licence", "holds", "LicenseRef-KOGL-1 ×5 in 5 of 5"),
        ("{}.hwp", page, "type", "differs", "html, named like hwp ×5"),
        ("{}.txt", lambda n: prose(1, 12), "copies", "differs", "1 of 5 texts are distinct"),
        ("{}-4.txt", lambda n: prose(n, 12), "licence", "differs", "unknown value: '제4유형'"),
    ],
)
def test_an_attached_file(tmp_path, name, make, field, state, words):
    kind = "제4유형" if "-4" in name else "제1유형"
    with serve() as site:
        paths = [f"/file/{name.format(n)}" for n in range(20)]
        site.answers = {path: Answer(make(n).encode(), headers=HTML) for n, path in enumerate(paths)}
        for path in paths if name.endswith("txt") else ():
            site.answers[path].headers = {"Content-Type": "text/plain; charset=utf-8"}
        said = json.dumps([[path, kind] for path in paths]).encode()
        site.answers["/list"] = Answer(said, headers={"Content-Type": "application/json"})
        compare(tmp_path, ATTACHED.format(base=site.base, host=site.base[7:]), field, state, words)
