"""After a purge nothing of an erased document is in the workspace, and a new crawl does not bring it back."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from flows import release_index
from flows.purge import Purged, purge
from malmoi.archive import capture, collection
from malmoi.archive.capture import Capture
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Kind, Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.releases import segments
from malmoi.workspace import Workspace
from tests.builders.small_archive import prose
from tests.builders.small_papers import PAPERS, data, run, written
from tests.builders.small_site import Answer, Site, serve
from tests.builders.small_traces import find_traces

TITLE, TEXT, AUTHOR = "카나리아제목삼칠", "카나리아본문구오칠", "카나리아지은이팔"
PATH = "/people/canary-path-7391"
NEEDLES = [word.encode() for word in (TITLE, TEXT, AUTHOR, "canary-path-7391")]
SOURCE = '''"""A small site under CC BY 4.0."""
from malmoi.source import LicenceClaim, LicenceRule, Manners, Site, Source
SOURCE = Source(
    name="small", title="작은 누리집", publisher="시험", access=Site(start=("{base}/",), scope=("{base}/",)),
    manners=Manners(delay=0, loopback=("{host}",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", url="{base}/licence"),),
    rule=LicenceRule(("dump-claim",)),
)
'''


def page(title: str, author: str, text: str, *links: tuple[str, str]) -> bytes:
    anchors = "".join(f'<li><a href="{href}">{words}</a></li>' for href, words in links)
    return (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="author" content="{author}"></head><body><article><h1>{title}</h1>'
        f"<p>{text}</p></article><ul>{anchors}</ul></body></html>"
    ).encode()


def fill(site: Site) -> None:
    """Six pages of which one is the canary; the start page and the sitemap name it with its title."""
    html = {"Content-Type": "text/html; charset=utf-8"}
    site.answers = {"/robots.txt": Answer(b"User-agent: *\nAllow: /\n", headers={"Content-Type": "text/plain"})}
    links = [*((f"/read/{n}", f"글 {n}") for n in range(5)), (PATH, TITLE), ("/moved", "옮긴 글")]
    site.answers["/"] = Answer(page("차림", "아무개", prose(900, 9), *links), headers=html)
    for n in range(5):
        site.answers[f"/read/{n}"] = Answer(page(f"글 {n}", "아무개", prose(n, 12)), headers={**html, "ETag": f'"{n}"'})
    site.answers[PATH] = Answer(page(TITLE, AUTHOR, f"{TEXT} {prose(77, 12)}"), headers=html)
    site.answers["/moved"] = Answer(b"", 301, {"Location": PATH})
    site.answers["/licence"] = Answer(page("이용 조건", "", "이 누리집은 CC BY 4.0으로 이용할 수 있다."), headers=html)


@dataclass
class World:
    site: Site
    source: str
    recipe: str
    root: Path

    def run(self) -> Workspace:
        return run(self.source, self.recipe, self.root / "w")[0]

    @property
    def id(self) -> str:
        return f"small/{self.site.base}{PATH}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    _, recipe = written(tmp_path / "papers", {"31": "x"})
    with serve() as site:
        fill(site)
        source = tmp_path / "small.py"
        source.write_text(SOURCE.format(base=site.base, host=site.base.removeprefix("http://")), encoding="utf-8")
        yield World(site, str(source), recipe, tmp_path)


def withdraw(home: Workspace, kind: Kind, key: str) -> Purged:
    tombstones.add(home.withdrawals, [Tombstone(kind, key, "2026-11-28", "요청")])
    return purge(home, tombstones.read_matcher(home.withdrawals, home.erasure_key))


def traces(home: Workspace) -> list[str]:
    """Where a canary is left, except in releases, which have an erasure of their own."""
    return [str(path) for path in find_traces(home.root, NEEDLES) if path.parts[0] != "6-releases"]


def stored_text(home: Workspace, id: str) -> str:
    for path in home.stage_files("documents.parquet", "2-documents"):
        for row in pq.read_table(path, columns=["id", "text"]).to_pylist():
            if row["id"] == id:
                return str(row["text"])
    raise AssertionError(id)


KINDS: dict[Kind, Callable[[World, Workspace], str]] = {
    "id": lambda world, home: world.id,
    "url": lambda world, home: world.site.base + PATH,
    "url-prefix": lambda world, home: f"{world.site.base}/people",
    "text-sha256": lambda world, home: hashlib.sha256(stored_text(home, world.id).encode()).hexdigest(),
    "value": lambda world, home: digest_value(TEXT, tombstones.load_key(home.erasure_key)),
}


@pytest.mark.one_case_in(2)
@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=() if k in ("url", "value") else pytest.mark.soak) for k in KINDS]
)
def test_nothing_is_left_and_a_new_crawl_brings_nothing_back(world: World, kind: Kind) -> None:
    home = world.run()
    found = traces(home)
    assert {Path(path).parts[0] for path in found} >= {"1-captures", "2-documents", "5-curated"}, found
    done = withdraw(home, kind, KINDS[kind](world, home))
    assert done.documents == (world.id,) and done.records >= 2 and done.left == ()
    named = ["withdrawals.parquet"]  # the keys of kinds id and url name it; the others do not
    assert traces(home) == ([] if kind == "url-prefix" else named)
    asked = world.site.hits[PATH], world.site.hits["/moved"]
    world.run()
    assert (world.site.hits[PATH], world.site.hits["/moved"]) == asked
    assert traces(home) == ([] if kind == "url-prefix" else named)
    world.site.answers["/read/1"].body = page("글 1", "아무개", prose(500, 12), (PATH, TITLE))
    world.site.answers["/read/1"].headers.pop("ETag")
    if kind == "value":  # wherever a page shows it
        world.site.answers["/read/8"] = world.site.answers[PATH]
        world.site.answers["/"].body += b'<a href="/read/8">eight</a>'
    _, _, _, made = run(world.source, world.recipe, home.root)
    assert traces(home) == ([] if kind == "url-prefix" else named)
    ids = data(made.folder)["id"].to_pylist()
    assert len(ids) == 6 and world.id not in ids


def archive(home: Workspace) -> dict[str, dict[str, tuple[int, str]]]:
    """Run → address → place and payload of each capture, all of them read back from the archive."""
    found = {}
    for one in collection.runs(home.captures("small")):
        rows = [collection.resolve_row(one, row) for row in one.rows if row.kind in collection.ARCHIVED]
        for row in rows:
            capture.read(Path(row.path), row.offset, row.record, row.payload_sha256)
        found[one.folder.name] = {row.url: (row.offset, row.payload_sha256) for row in rows}
    return found


def test_other_captures_stay_where_they_are_and_pages_that_link_there_lose_the_link_only(world: World) -> None:
    home = world.run()
    before = archive(home)["0001"]
    withdraw(home, "url", world.site.base + PATH)
    after = archive(home)["0001"]
    assert before.keys() - after.keys() == {f"{world.site.base}{path}" for path in (PATH, "/moved")}
    assert {url for url in after if after[url] != before[url]} == {f"{world.site.base}/"}
    (start,) = [one for one in scan(home) if one.url == f"{world.site.base}/"]
    body = world.site.answers["/"].body.decode()
    gone = (f'<li><a href="{PATH}">{TITLE}</a></li>', '<li><a href="/moved">옮긴 글</a></li>')
    assert start.body.decode() == body.replace("".join(gone), "")
    path = home.captures("small") / "0001" / "pages.warc.gz"
    with path.open("rb") as stream:  # a reader that knows nothing of blanks reads it, too
        kinds = [record.record_type for record in ArchiveIterator(stream)]
    assert kinds.count(WarcRecordType.warcinfo) == 3  # the canary, the redirect to it, the page that linked there
    assert kinds.count(WarcRecordType.response) == len(kinds) - 3


def test_pages_that_quote_it_without_a_link_lose_the_words(world: World) -> None:
    said = f"{prose(4, 12)} 다음 글: {TITLE}. {prose(77, 12)[:120]}"
    world.site.answers["/read/4"].body = page("글 4", "아무개", said)
    home = world.run()
    withdraw(home, "id", world.id)
    assert traces(home) == ["withdrawals.parquet"]
    (left,) = [one.body.decode() for one in scan(home) if one.url.endswith("/read/4")]
    assert prose(4, 12) in left and prose(77, 12)[:100] not in left


def scan(home: Workspace) -> list[Capture]:
    path = home.captures("small") / "0001" / "pages.warc.gz"
    return [entry[2] for entry in capture.scan(path) if not isinstance(entry, capture.Torn)]


def test_a_release_that_was_kept_aside_goes_whole(world: World) -> None:
    home = world.run()
    aside = home.rejections("papers") / "1.1.0-00ff"
    (aside / "release").mkdir(parents=True)
    (aside / "release" / "README.md").write_text(TEXT, encoding="utf-8")
    withdraw(home, "id", world.id)
    assert not aside.exists() and traces(home) == ["withdrawals.parquet"]


@pytest.mark.heavy
def test_a_blocked_address_is_counted_by_its_site_and_not_named(world: World) -> None:
    home = world.run()
    withdraw(home, "url-prefix", f"{world.site.base}/people")
    world.site.answers["/old"] = Answer(b"", 302, {"Location": PATH})
    world.site.answers["/"].body += b'<a href="/old">old</a>'
    world.run()
    facts = collection.runs(home.captures("small"))[-1].facts
    assert facts["blocked_by"] == {"withdrawn": facts["blocked"]} and facts["blocked"] >= 1
    lines = (home.captures("small") / "0002" / "blocked.jsonl").read_text("utf-8").splitlines()
    names = [f"{world.site.base}/[withheld {n}]" for n in range(1, len(lines) + 1)]
    assert [json.loads(line) for line in lines] == [{"url": name, "reason": "withdrawn"} for name in names]
    assert traces(home) == []


class Killed(BaseException):
    """Stands for a kill between two steps."""


@contextmanager
def dying(after: int) -> Iterator[list[int]]:
    """End the block at the step `after` of those that change the disk; the list is empty if it came to its end."""
    died: list[int] = []
    count = iter(range(1 << 20))

    def guard(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            if not died and next(count) == after:
                died.append(after)
                raise Killed
            return call(*given, **named)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in ("replace", "rename", "unlink", "touch"):
            patch.setattr(Path, name, guard(getattr(Path, name)))
        with suppress(Killed):
            yield died


@pytest.mark.parametrize(
    "kind", [pytest.param("id", marks=pytest.mark.heavy), pytest.param("text-sha256", marks=pytest.mark.soak)]
)
def test_a_purge_that_is_killed_anywhere_is_completed_by_the_next(world: World, kind: Kind, tmp_path: Path) -> None:
    home = world.run()
    key = KINDS[kind](world, home)
    tombstones.add(home.withdrawals, [Tombstone(kind, key, "2026-11-28", "요청")])
    shutil.copytree(home.root, tmp_path / "whole")
    for step in range(1 << 20):
        shutil.rmtree(home.root)
        shutil.copytree(tmp_path / "whole", home.root)
        with dying(after=step) as died:
            purge(home, tombstones.read_matcher(home.withdrawals, home.erasure_key))
        if not died:
            break
        archive(home)  # every capture that an index names can be read
        if step % 20 == 10:
            *_, made = run(world.source, world.recipe, home.root)
            assert world.id not in data(made.folder)["id"].to_pylist()
        purge(home, tombstones.read_matcher(home.withdrawals, home.erasure_key))
        assert traces(home) == ["withdrawals.parquet"], step
    assert step > 20
    assert traces(home) == ["withdrawals.parquet"]


@pytest.mark.heavy
def test_an_unfinished_run_is_purged_and_goes_on(world: World) -> None:
    home = world.run()
    folder = home.captures("small") / "0001"
    (folder / "pages.warc.gz").rename(folder / "pages.warc.gz.open")
    for name in ("run.json", "stats.json", "index.parquet"):
        (folder / name).unlink()
    (folder / "dump.bz2").write_bytes(TEXT.encode())
    withdraw(home, "url", world.site.base + PATH)
    assert traces(home) == ["withdrawals.parquet"]
    world.site.hits.clear()
    world.run()
    assert traces(home) == ["withdrawals.parquet"] and PATH not in world.site.hits
    assert "/read/2" not in world.site.hits  # archived before, and still there


@pytest.mark.heavy
def test_a_text_that_comes_back_at_another_address_is_dropped_and_purged_by_the_next(world: World) -> None:
    home = world.run()
    withdraw(home, "text-sha256", KINDS["text-sha256"](world, home))
    world.site.answers["/read/9"] = world.site.answers[PATH]
    world.site.answers["/"].body += b'<a href="/read/9">nine</a>'
    *_, made = run(world.source, world.recipe, home.root)
    assert len(data(made.folder)) == 6
    assert traces(home) == ["1-captures/small/0002/pages.warc.gz", "withdrawals.parquet"]
    purge(home, tombstones.read_matcher(home.withdrawals, home.erasure_key))
    assert traces(home) == ["withdrawals.parquet"]
    world.run()
    assert traces(home) == ["withdrawals.parquet"] and world.site.hits["/read/9"] == 1


@pytest.mark.heavy
def test_the_files_of_the_operator_are_named_and_not_collected_again(tmp_path: Path) -> None:
    papers = {name: PAPERS[name] for name in ("02", "13", "31", "32")}
    papers["13"] += f"\n{TEXT} 이다."
    source, recipe = written(tmp_path, papers)
    home, _, _, first = run(source, recipe, tmp_path / "w")
    id = "papers/13.txt"
    assert set(data(first.folder)["id"].to_pylist()) == {"papers/02.txt", id, "papers/31.txt"}
    done = withdraw(home, "id", id)
    (left,) = done.left
    assert left.startswith(f"{tmp_path}/papers/13.txt: your own file, which still holds {id}")
    assert done.index_rows == 1 and traces(home) == []
    names = [id.encode()]
    found = [str(path) for path in find_traces(home.root, names) if path.parts[0] != "6-releases"]
    assert found == ["withdrawals.parquet"]
    *_, second = run(source, recipe, tmp_path / "w")
    assert set(data(second.folder)["id"].to_pylist()) == {"papers/02.txt", "papers/31.txt"}
    found = [str(path) for path in find_traces(home.root, names) if path.parts[0] != "6-releases"]
    assert found == ["withdrawals.parquet"] and traces(home) == []
    tombstones.revoke(home.withdrawals, id, "2026-11-29")
    *_, third = run(source, recipe, tmp_path / "w")
    assert id in data(third.folder)["id"].to_pylist()


def test_the_index_still_counts_without_the_rows_of_an_erased_document(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, {name: PAPERS[name] for name in ("02", "13", "31", "32")})
    home, *_ = run(source, recipe, tmp_path / "w")
    (before,) = release_index.segments_by_survey(home)["copies"]
    withdraw(home, "id", "papers/13.txt")
    (after,) = release_index.segments_by_survey(home)["copies"]
    assert after.state == "counts" and after.readable_facts.replaces == (before.name,)
    assert after.readable_facts.documents == before.readable_facts.documents - 1
    assert segments.find_ids(after.folder, ["papers/13.txt"]) == () and not before.folder.exists()
    assert segments.marks(after) == segments.marks(before)
    assert release_index.releases_without_segment(home) == []
    assert withdraw(home, "id", "papers/13.txt").index_rows == 0
    withdraw(home, "id", "papers/31.txt")
    (last,) = release_index.segments_by_survey(home)["copies"]
    assert last.readable_facts.replaces == tuple(sorted((before.name, after.name)))
    assert release_index.releases_without_segment(home) == []
