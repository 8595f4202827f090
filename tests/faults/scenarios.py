"""What is simulated: a state to begin with, commands, and what the end must look like."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from malmoi.storage.placeholders import is_placeholder
from tests.builders import small_archive
from tests.builders.small_archive import MARK, prose
from tests.builders.small_traces import find_traces
from tests.faults.lying_site import DUMP_CLAIM, SECRET, SECRET_PATH, LyingSite

FOLDER = '''"""Pages in a folder, under CC BY 4.0 by the word of a licence file."""
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source(
    name="small", title="작은 말뭉치", publisher="시험", access=Folder(Path({folder!r}), include=("*.html",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", file="LICENCE.txt"),),
    rule=LicenceRule(("licence-file",)),
)
'''
SITE = '''"""A small site on loopback; each page has its mark."""
from malmoi.source import LicenceRule, Manners, Site, Source
SOURCE = Source(
    name="small", title="작은 누리집", publisher="시험", access=Site(start=("http://{host}/",), scope=("http://{host}/",)),
    rule=LicenceRule(("kogl-block",), (("http://{host}/", ".kogl"),)),
    manners=Manners(delay=0, concurrency=1, loopback=("{host}",)),
)
'''
DUMP = '''"""A dump on loopback."""
from crawlers.formats.mediawiki import mediawiki_export as export
from malmoi.source import Dump, LicenceClaim, LicenceRule, Manners, Source
SOURCE = Source(
    name="wiki", title="작은 위키", publisher="시험", access=Dump("http://{host}/dump.xml"),
    claim=(LicenceClaim("CC-BY-SA-4.0", "{claim}", url="http://{host}/legal.html"),),
    rule=LicenceRule(("dump-claim",)),
    manners=Manners(delay=0, loopback=("{host}",)),
)
def items(capture):
    return export.pages(capture)
def text(parsed):
    return export.text(parsed.item)
'''
BUCKET = "s3://corpus/ko"
DISK = ("kill", "power", "full", "io", "clock", "rot")
STORE = ("lost", "unanswered")
LIES = ("lies",)
# What may differ between two runs: reports and logs have times; locks name processes; parts that a release keeps may be
# torn (their sums detect it) or deleted.
_VOLATILE = re.compile(
    r"(^|/)(reports/|\.parts/|\.lock$|\.bucket\.sqlite|\.publishing$|1-captures/|lease\.json$|\.facts-)"
)
# A crawl that is run again is another run, whose captures are other shards.
_OF_CRAWLS = re.compile(rf"{_VOLATILE.pattern}|/[2-5]-|/surveys/|/made-from\.json")
_VISIBLE = ("6-releases/*/[!.]*.*.*/SHA256SUMS", "general/[!.]*.*.*/SHA256SUMS")  # .1.0.0.part is under way
_LEFTOVER = re.compile(r"(^|/)(tmp/.|\.[^/]+[.-][0-9a-f]{8,32}$|\.index\.parquet$|[^/]+\.part(/|$))")


@dataclass(frozen=True)
class State:
    """The folders of one simulation: workspace, copies of two machines, store, target of a publication."""

    root: Path

    @property
    def disks(self) -> tuple[Path, ...]:
        return tuple(self.root / name for name in ("w", "one", "two", "target"))

    @property
    def store(self) -> Path:
        return self.root / "store"

    def workspaces(self) -> list[Path]:
        """Where releases lie: the workspace, or the copies of a bucket."""
        copies = (one for name in ("one", "two") for one in (self.root / name / "buckets").glob("*/*"))
        return [one for one in (self.root / "w", *copies) if one.exists()]


@dataclass(frozen=True)
class Scenario:
    """Commands from a state; `w` in a command is the workspace, `target` a folder to publish to."""

    name: str
    write: Callable[[Path, int], Path]  # inputs in a folder, first or second edition → the file of the source
    base: tuple[tuple[str, ...], ...]
    commands: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...] = DISK
    bucket: bool = False
    edition: int = 0  # of the inputs, for `commands`
    erases: bool = False
    crawls: bool = False
    page: str = ""  # the address that is erased
    dated: bool = False  # the day is part of the release: after a jump of the clock only its texts are compared

    def spell(self, command: Sequence[str], state: State, source: Path) -> list[str]:
        known = {
            "SOURCE": str(source),
            "WS": BUCKET if self.bucket else str(state.root / "w"),
            "WITHDRAWN": str(source.parent / "withdrawn.jsonl"),
            "PAGE": self.page,
            "TARGET": str(state.root / "target"),
            "RELEASE": str(state.root / "w/6-releases/general/1.0.0"),
        }
        return [known.get(word, word) for word in command]


def write_folder(root: Path, edition: int) -> Path:
    """Eight pages; the second edition has one more, one less and another text on one."""
    folder = root / "pages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = {n: prose(n + (9000 if edition and n == 2 else 0), 14) for n in range(edition, 6 + edition)}
    texts[20] = f"{prose(5, 14)} 덧붙인 말이 하나 있다."  # a near copy of 5
    texts[21] = f"{prose(21, 14)} 문의는 010-2345-6789 또는 hong@daum.net 으로 한다."
    texts[22] = f"{prose(22, 7)} {SECRET}이라고 적었다. {prose(23, 7)}"
    texts[23] = "This page is in English, and so it is not of use here. " * 9
    for n, text in texts.items():
        body = f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>글 {n}</title></head><body><article><h1>이야기 {n}</h1><p>{text}</p></article></body></html>'  # noqa: E501
        _write(folder / f"p{n}.html", body)
    stone = {"kind": "id", "key": "small/p22.html", "date": "2026-11-01", "reason": "asked"}
    _write(root / "withdrawn.jsonl", json.dumps(stone) + "\n")
    _write(folder / "LICENCE.txt", "이 말뭉치는 CC BY 4.0으로 이용할 수 있다.\n")
    return _write(root / "small.py", FOLDER.format(folder=str(folder)))


def write_archive(root: Path, _: int) -> Path:
    """An archive of 48 pages of one host: enough to learn its template."""
    root.mkdir(parents=True, exist_ok=True)
    archive = root / "board.warc"
    small_archive.write(archive, small_archive.site(48, lambda n: small_archive.page(n, inside=MARK)))
    return Path(small_archive.source(root, archive))


def write_site(site: LyingSite) -> Callable[[Path, int], Path]:
    """The pages that a server on loopback has."""

    def write(root: Path, edition: int) -> Path:
        site.edition, site.has_dump = edition, False
        root.mkdir(parents=True, exist_ok=True)
        return _write(root / "small.py", SITE.format(host=site.host))

    return write


def write_dump(site: LyingSite) -> Callable[[Path, int], Path]:
    """A dump that a server on loopback has."""

    def write(root: Path, _: int) -> Path:
        site.has_dump = True
        root.mkdir(parents=True, exist_ok=True)
        return _write(root / "wiki.py", DUMP.format(host=site.host, claim=DUMP_CLAIM))

    return write


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_770_000_000, 1_770_000_000))  # dates of files are dates of captures
    return path


RUN = ("run", "general", "--source", "SOURCE", "--workspace", "WS")
WITHDRAW = ("withdrawals", "import", "WITHDRAWN", "--workspace", "WS")
ERASE_PAGE = ("erase", "general", "--workspace", "WS", "--url", "PAGE", "--reason", "asked", "--request", "r-1")
ERASE = ("erase", "general", "--workspace", "WS", "--id", "small/p22.html", "--reason", "asked", "--request", "r-1")


def list_scenarios(site: LyingSite) -> list[Scenario]:
    """All scenarios: stages and stores."""
    crawl = write_site(site)
    return [
        Scenario("run", write_folder, (), (RUN,)),
        Scenario("templates", write_archive, (), (RUN,)),
        Scenario("grow", write_folder, (RUN,), (RUN,), edition=1),
        Scenario("erase", write_folder, (RUN,), (ERASE, RUN), erases=True, dated=True),
        Scenario("withdraw", write_folder, (RUN,), (WITHDRAW, RUN), DISK[:-1]),
        Scenario("publish", write_folder, (RUN,), (("publish", "RELEASE", "--target", "TARGET"),), DISK[:-1]),
        Scenario("crawl", crawl, (), (RUN,), (*DISK[:-1], *LIES), crawls=True, dated=True),
        Scenario("recrawl", crawl, (RUN,), (RUN,), (*DISK[:-1], *LIES), edition=1, crawls=True, dated=True),
        Scenario(
            "erase-page", crawl, (RUN,), (ERASE_PAGE,), DISK[:-1], crawls=True, erases=True, dated=True,
            page=f"http://{site.host}{SECRET_PATH}",
        ),
        Scenario("dump", write_dump(site), (), (RUN,), (*DISK[:-1], *LIES), crawls=True, dated=True),
        Scenario("bucket", write_folder, (), (RUN,), (*DISK[:4], "rot", *STORE), bucket=True),
        Scenario("bucket-grow", write_folder, (RUN,), (RUN,), (*DISK[:4], "rot", *STORE), bucket=True, edition=1),
        Scenario("bucket-erase", write_folder, (RUN,), (ERASE,), (*DISK[:4], "rot", *STORE), bucket=True, erases=True),
    ]  # fmt: skip


def read_end(scenario: Scenario, state: State) -> dict[str, str]:
    """Every file that must be the same after a run without faults, whatever came before: path → sha256."""
    if scenario.bucket:
        return {path: _digest(state.store / _quote(path)) for path in _objects(state) if not _VOLATILE.search(path)}
    volatile = _OF_CRAWLS if scenario.crawls else _VOLATILE
    roots = {root.name: root for root in (state.root / "w", state.root / "target") if root.exists()}
    found = {}
    for name, root in roots.items():
        for path in sorted(root.rglob("*")):
            here = f"{name}/{path.relative_to(root).as_posix()}"
            if (path.is_file() or path.is_symlink()) and not volatile.search(here):
                found[here] = os.readlink(path) if path.is_symlink() else _digest(path)
    return found


def read_texts(state: State) -> dict[str, str]:
    """The published texts of the latest version: id → text."""
    found: dict[str, str] = {}
    for root in state.workspaces()[:1]:
        for path in sorted((root / "6-releases/general/latest").glob("data/**/*.parquet")):
            found.update(zip(*pq.read_table(path, columns=["id", "text"]).to_pydict().values(), strict=True))
    return found


def find_faults(scenario: Scenario, state: State) -> list[str]:
    """What is wrong at any moment, also after a kill: a release that is visible and not whole."""
    said = []
    for root in (*state.workspaces(), state.root / "target"):
        for sums in sorted(found for pattern in _VISIBLE for found in root.glob(pattern)):
            for line in sums.read_text(encoding="utf-8").splitlines():
                digest, _, name = line.partition("  ")
                file = sums.parent / name
                if is_placeholder(file) or (not file.exists() and (sums.parent / "withdrawn.json").exists()):
                    continue
                if not file.exists() or _digest(file) != digest:
                    said.append(f"{file.relative_to(state.root)}: visible, and not whole")
    return said


def find_leftovers(scenario: Scenario, state: State, cache: str) -> list[str]:
    """Unfinished files that no later run will delete."""
    said = []
    for root in (*_roots(scenario, state, cache), state.root / "target"):
        names = (path.relative_to(root).as_posix() for path in root.rglob("*"))
        said += [f"left over: {name}" for name in names if _LEFTOVER.search(name)]
    return said


def find_traces_left(scenario: Scenario, state: State, cache: str) -> list[str]:
    """Files that still hold what was erased, in the store and on the machine that ran last."""
    roots = (*_roots(scenario, state, cache), state.store) if scenario.erases else ()
    found = [f"{root.name}/{path}" for root in roots for path in find_traces(root, [SECRET.encode()])]
    return [f"trace of what was erased: {path}" for path in found]


def _roots(scenario: Scenario, state: State, cache: str) -> list[Path]:
    return [root for root in state.workspaces() if not scenario.bucket or root.is_relative_to(state.root / cache)]


def _objects(state: State) -> list[str]:
    from urllib.parse import unquote

    return sorted(unquote(name) for name in os.listdir(state.store))


def _quote(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
