"""After a purge nothing of an erased document is in the workspace, and a new crawl does not bring it back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.collect import collect
from flows.engine.progress import Progress
from flows.purge import Purged, purge
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Kind, Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.workspace import Workspace
from tests.builders.small_archive import prose
from tests.builders.small_papers import data, run, written
from tests.builders.small_site import Answer, Site, serve
from tests.builders.small_traces import find_traces

TITLE, TEXT, AUTHOR = "카나리아제목삼칠", "카나리아본문구오칠", "카나리아지은이팔"
PATH = "/people/canary-path-7391"
NEEDLES = [word.encode() for word in (TITLE, TEXT, AUTHOR, "canary-path-7391")]
SOURCE = '''"""A small site under CC BY 4.0."""
from malmoi.source import LicenceClaim, Manners, Site, Source
SOURCE = Source(
    name="small", title="작은 누리집", publisher="시험", access=Site(start=("{base}/",), scope=("{base}/",)),
    manners=Manners(delay=0, loopback=("{host}",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", url="{base}/licence"),),
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
    import pyarrow.parquet as pq

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


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_and_a_new_crawl_brings_nothing_back(world: World, kind: Kind) -> None:
    home = world.run()
    found = traces(home)
    assert {Path(path).parts[0] for path in found} >= {"1-captures", "2-documents", "5-curated"}, found
    done = withdraw(home, kind, KINDS[kind](world, home))
    assert done.documents == (world.id,) and done.records >= 2 and done.left == ()
    named = ["withdrawals.parquet"]  # the keys of kinds id and url name it; the others do not
    assert traces(home) == ([] if kind == "url-prefix" else named)
    asked = world.site.hits[PATH]
    world.run()
    assert world.site.hits[PATH] == asked
    assert traces(home) == ([] if kind == "url-prefix" else named)
    world.site.answers["/read/1"].body = page("글 1", "아무개", prose(500, 12), (PATH, TITLE))
    world.site.answers["/read/1"].headers.pop("ETag")
    _, _, _, made = run(world.source, world.recipe, home.root)
    assert traces(home) == ([] if kind == "url-prefix" else named)
    ids = data(made.folder)["id"].to_pylist()
    assert len(ids) == 6 and world.id not in ids
