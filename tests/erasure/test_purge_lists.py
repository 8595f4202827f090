"""What one capture holds beside others (blocks of a dump), and files of repositories, are purged and not collected."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from flows.collect import collect
from flows.engine.progress import Progress
from flows.purge import purge
from malmoi.archive import capture, collection
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Kind, Tombstone
from malmoi.workspace import Workspace
from tests.builders.small_archive import prose
from tests.builders.small_papers import data, run
from tests.builders.small_papers import written as papers
from tests.builders.small_repository import serve
from tests.builders.small_traces import find_traces

TITLE, TEXT = "카나리아표제", "카나리아낱말구오"
HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ko">\n'
    "  <siteinfo><base>https://ko.example.kr/wiki/a</base></siteinfo>\n"
)
SOURCE = '''"""A dump in a file."""
from pathlib import Path
from crawlers.formats.mediawiki import mediawiki_export as export
from malmoi.source import Dump, LicenceClaim, LicenceRule, Source
SOURCE = Source(
    name="wiki", title="사전", publisher="시험", access=Dump(path=Path({path!r})),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", file="LICENCE.txt"),),
    rule=LicenceRule(("dump-claim",)),
)

def items(capture):
    return export.pages(capture)

def text(parsed):
    return export.text(parsed.item)
'''


def page(number: int) -> str:
    title, text = (TITLE, TEXT) if number == 1007 else (f"쪽 {number}", "")
    return (
        f"<page><title>{title}</title><ns>0</ns><id>{number}</id><revision><id>{number + 5000}</id>"
        f'<timestamp>2026-08-30T04:05:06Z</timestamp><model>wikitext</model><text xml:space="preserve">{text} '
        f"{prose(number, 12)}</text></revision></page>\n"
    )


def write_dump(root: Path) -> Path:
    (root / "LICENCE.txt").write_text("CC BY 4.0으로 이용할 수 있다.\n", encoding="utf-8")
    path = root / "dump.xml"
    path.write_text(HEAD + "".join(page(n) for n in range(1000, 1012)) + "</mediawiki>\n", encoding="utf-8")
    (root / "wiki.py").write_text(SOURCE.format(path=str(path)), encoding="utf-8")
    return root / "wiki.py"


def withdraw(home: Workspace, kind: Kind, key: str, *sources: str):
    tombstones.add(home.withdrawals, [Tombstone(kind, key, "2026-11-28", "요청")])
    return purge(home, tombstones.read_matcher(home.withdrawals, home.erasure_key), sources)


def traces(home: Workspace) -> list[str]:
    needles = [TITLE.encode(), TEXT.encode()]
    return [str(path) for path in find_traces(home.root, needles) if path.parts[0] != "6-releases"]


def blocks(home: Workspace) -> dict[str, bytes]:
    found = collection.select_current(collection.runs(home.captures("wiki")))
    rows = [row for _, here in found for row in here if row.kind == "resource"]
    return {row.url: capture.read(Path(row.path), row.offset, row.record, row.payload_sha256).body for row in rows}


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["id", "url"])
def test_a_page_is_cut_from_its_block_as_a_new_collection_leaves_it_out(tmp_path: Path, kind: Kind) -> None:
    _, recipe = papers(tmp_path / "papers", {"31": "x"})
    source = str(write_dump(tmp_path))
    home, *_ = run(source, recipe, tmp_path / "w")
    before = blocks(home)
    key = {"id": "wiki/1007", "url": f"https://ko.example.kr/wiki/{quote(TITLE)}"}[kind]
    done = withdraw(home, kind, key, source)
    assert (done.documents, done.left) == (("wiki/1007",), ())
    after = blocks(home)
    assert traces(home) == []
    text = page(1007).strip().encode()
    assert sum(text in body for body in before.values()) == 1
    assert {body.replace(text + b"\n", b"") for body in before.values()} == set(after.values())
    _, _, _, made = run(source, recipe, tmp_path / "w")
    assert traces(home) == [] and blocks(home) == after
    assert len(data(made.folder)) == 11
    fresh, *_ = (Workspace.open(tmp_path / "other"),)
    tombstones.add(fresh.withdrawals, tombstones.read(home.withdrawals))
    run(source, recipe, tmp_path / "other")
    assert blocks(fresh) == after and traces(fresh) == []


@pytest.mark.heavy
def test_without_the_file_of_the_source_the_block_stays_and_is_named(tmp_path: Path) -> None:
    _, recipe = papers(tmp_path / "papers", {"31": "x"})
    source = str(write_dump(tmp_path))
    home, *_ = run(source, recipe, tmp_path / "w")
    done = withdraw(home, "id", "wiki/1007")
    (left,) = done.left
    assert "holds wiki/1007 among other documents and cannot be cut" in left and "name the file of the source" in left
    assert traces(home) == ["1-captures/wiki/0001/pages.warc.gz"]
    _, _, _, made = run(source, recipe, tmp_path / "w")  # every run drops it meanwhile
    assert len(data(made.folder)) == 11
    again = purge(home, tombstones.read_matcher(home.withdrawals, home.erasure_key), [source])
    assert again.left == () and traces(home) == []


@pytest.mark.heavy
def test_a_row_of_a_table_is_dropped_and_its_file_is_named(tmp_path: Path) -> None:
    source, recipe = papers(tmp_path, {"31": prose(31, 16)})
    rows = [{"id": n, "text": f"{TEXT if n == 3 else ''} {prose(n, 12)}"} for n in range(5)]
    path = tmp_path / "papers" / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    home, *_ = run(source, recipe, tmp_path / "w")
    assert traces(home)
    done = withdraw(home, "id", "papers/rows.jsonl#3")
    assert [left.partition(":")[0] for left in done.left] == [str(path)] and traces(home) == []
    _, _, _, made = run(source, recipe, tmp_path / "w")
    assert traces(home) == [] and len(data(made.folder)) == 5


def test_a_file_of_a_repository_is_not_collected(tmp_path: Path) -> None:
    path = tmp_path / "small.py"
    files = {"LICENSE": b"The MIT License", "ko/a.md": "가".encode(), "ko/b.md": TEXT.encode()}
    with serve(tmp_path / "served") as served:
        path.write_text(
            "from malmoi.source import *\n"
            f"SOURCE = Source('small', 't', 'p', Git({served.url!r}, include=('ko/**/*.md',)),\n"
            "    claim=(LicenceClaim('MIT', 'The MIT License', file='LICENSE'),),\n"
            "    rule=LicenceRule(('project-licence',)),\n"
            f"    manners=Manners(loopback=({served.base.removeprefix('http://')!r},)))\n"
        )
        home = Workspace.open(tmp_path / "w")
        served.commit(dict(files))
        collect(home, str(path), Progress(quiet=True))
        (row,) = [row for row in collection.runs(home.captures("small"))[0].rows if row.url.endswith("b.md")]
        withdraw(home, "url", row.url)
        assert traces(home) == []
        assert collect(home, str(path), Progress(quiet=True)).gone == 0
        served.commit(files | {"ko/b.md": f"{TEXT} again".encode(), "ko/c.md": "다".encode()})
        assert collect(home, str(path), Progress(quiet=True)).new == 1
        assert traces(home) == []
        assert collection.runs(home.captures("small"))[-1].facts["left_out"] == {"withdrawn": 1}
