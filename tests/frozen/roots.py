"""Releases whose every byte is known: ten workspaces are made anew and compared with tests/data/frozen_roots.json.

python -m tests.frozen.roots [--only NAME …] [--keep FOLDER] [--write]

The clock stands still, servers on loopback have fixed ports, and files have fixed dates. Of each workspace the file has
the Merkle root of its last release and digests of all its files (`SHA256SUMS`), of `card.json`, of what `malmoi verify`
prints, and of what `malmoi why` prints for 50 of its documents, kept and dropped. `--keep` leaves the workspaces and
these texts in a folder: the same call in an older checkout gives the other side for `diff -r`. `--write` replaces the
file. Workspaces whose corpora are absent are left out (`MALMOI_CORPORA` names their folder).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pyarrow.parquet as pq

from tests.builders import frozen_clock, small_corpus, small_oai, small_papers, small_release, small_repository
from tests.builders.small_archive import prose
from tests.builders.small_oai import Repository, Work
from tests.faults.lying_site import DUMP_CLAIM, LyingSite
from tests.faults.scenarios import DUMP

FILE = Path(__file__).parents[1] / "data" / "frozen_roots.json"
PORTS = {"demo": 28753, "dump": 28754, "git": 28755, "oai": 28756}
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_KEY = re.compile(
    r"\([0-9a-f]{12}(-[0-9a-f]{6,})+\)"
)  # of a shard: it has the digest of the source's file, with the folder
BY = "https://creativecommons.org/licenses/by/4.0/"
GIT = '''"""A repository on loopback."""
from malmoi.source import Git, LicenceClaim, LicenceRule, Manners, Source
SOURCE = Source(
    name="pages", title="저장소", publisher="시험", access=Git("{url}", include=("ko/**/*.md",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", file="LICENSE"),),
    rule=LicenceRule(("project-licence",)), manners=Manners(loopback=("{host}",)),
)
'''
OAI = '''"""A repository of works on loopback."""
from crawlers.rights.repository_rights import FIELDS
from malmoi.source import LicenceRule, Manners, OaiPmh, Source
SOURCE = Source(
    name="works", title="기관 저장소", publisher="시험", access=OaiPmh("{base}"),
    rule=LicenceRule(("field",), fields=FIELDS, expected=("CC-BY-4.0",)),
    manners=Manners(delay=0, loopback=("{host}",)),
)
'''


def run(*arguments: object) -> str:
    """Run a command and return what it prints; SystemExit with its message if it fails."""
    ended = small_corpus.malmoi_in_process(*arguments)
    if ended.returncode:
        raise SystemExit(f"malmoi {' '.join(map(str, arguments))}: status {ended.returncode}: {ended.stderr[-3000:]}")
    return ended.stdout


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def set_dates(folder: Path) -> None:
    """Give all files one date: it is the date of their capture."""
    for path in folder.rglob("*"):
        os.utime(path, (1_770_000_000, 1_770_000_000))


def make_demo(root: Path) -> None:
    run("demo", "--workspace", root / "w")


def make_erased(root: Path) -> None:
    """The demo, and a patch version without one document, one address and what lies below a third."""
    make_demo(root)
    for number, name in enumerate(("--id", "--url-prefix")):
        ids = list_ids(find_release(root / "w"))[0]
        key = ids[len(ids) // 3]
        chosen = key if name == "--id" else f"http://127.0.0.1:{PORTS['demo']}/{key.split('/')[1]}/"
        run(
            "erase", "general", name, chosen, "--reason", "asked", "--request", f"r-{number}", "--workspace", root / "w"
        )


def make_small(root: Path) -> None:
    (root / "w").mkdir()
    shutil.move(small_release.sealed(root), root / "w" / "1.0.0")


def make_papers(root: Path) -> None:
    source, recipe = small_papers.written(root, small_papers.PAPERS)
    set_dates(root)
    run("run", recipe, "--source", source, "--workspace", root / "w")


def make_files(root: Path) -> None:
    """The pages of the sample site as files, with a claim; then again with two of them changed and two more."""
    source = small_corpus.make(root, 40)
    folder = root / "pages"
    set_dates(folder)
    run("run", "general", "--source", source, "--workspace", root / "w")
    pages = sorted(folder.rglob("*.html"))
    for number, page in enumerate(pages[:2]):
        text = page.read_text("utf-8")
        page.write_text(text.replace("</p>", f" {prose(number, 4)}</p>", 1), encoding="utf-8")
        write(folder / f"new/{number}.html", text.replace("</p>", f" {prose(number + 50, 40)}</p>", 1))
    set_dates(folder)
    run("run", "general", "--source", source, "--workspace", root / "w")


def make_dump(root: Path) -> None:
    site = LyingSite(5, PORTS["dump"])
    site.has_dump = True
    try:
        source = write(root / "wiki.py", DUMP.format(host=site.host, claim=DUMP_CLAIM))
        run("run", "general", "--source", source, "--workspace", root / "w")
    finally:
        site.close()


def make_git(root: Path) -> None:
    with small_repository.serve(root / "served", PORTS["git"]) as served:
        pages = {
            f"ko/{n % 3}/{n}.md": f"# 글 {n}\n\n{prose(n, 14)}\n\n{prose(n + 400, 9)}\n".encode() for n in range(40)
        }
        served.commit({"LICENSE": "CC BY 4.0으로 이용할 수 있다.\n".encode(), **pages})
        host = served.base.removeprefix("http://")
        source = write(root / "pages.py", GIT.format(url=served.url, host=host))
        run("run", "general", "--source", source, "--workspace", root / "w")


def make_oai(root: Path) -> None:
    def work(n: int) -> Work:
        rights = (BY,) if n % 3 else ("In Copyright",)
        return Work(n, small_oai.day(n), f"{n}번 글의 제목", prose(n, 24), rights, deleted=n % 10 == 9)

    with small_oai.serve(Repository(60, work, page=25), port=PORTS["oai"]) as repository:
        host = repository.host.removeprefix("http://")
        source = write(root / "works.py", OAI.format(base=repository.base, host=host))
        run("run", "general", "--source", source, "--workspace", root / "w")


def make_grown(root: Path) -> None:
    """A thousand simulated pages, and then one per cent more and one per cent with other texts."""
    from benchmarks import simulated_captures

    os.environ["MALMOI_SIMULATED"] = str(root / "pages")
    for more in ({}, {"add": 1.0, "change": 1.0}):
        simulated_captures.write(root / "pages", 1000, **more)
        set_dates(root / "pages")
        run("run", BENCHMARKS / "recipes" / "simulated.toml", "--workspace", root / "w")


def make_real(root: Path) -> None:
    """The real corpora, from a copy whose files have one date."""
    from benchmarks.sources import corpora

    shutil.copytree(corpora.CORPORA, root / "corpora", copy_function=shutil.copyfile)
    set_dates(root / "corpora")
    with mock.patch.object(corpora, "CORPORA", root / "corpora"):
        run("run", BENCHMARKS / "recipes" / "real.toml", "--workspace", root / "w")


WORKSPACES: dict[str, Callable[[Path], None]] = {
    "demo": make_demo, "erased": make_erased, "small": make_small, "papers": make_papers, "files": make_files,
    "dump": make_dump, "git": make_git, "oai": make_oai, "grown": make_grown, "real": make_real,
}  # fmt: skip


def find_release(workspace: Path) -> Path:
    """Return the folder of the newest release of a workspace."""
    return max(
        workspace.rglob("manifest.json"), key=lambda file: [int(part) for part in file.parent.name.split(".")]
    ).parent


def list_ids(release: Path) -> tuple[list[str], list[str]]:
    """Return the ids of the documents that a release has, and of those that were dropped."""
    kept = [
        id for file in release.glob("data/**/*.parquet") for id in pq.read_table(file, columns=["id"])["id"].to_pylist()
    ]
    dropped = pq.read_table(release / "audit" / "dropped.parquet", columns=["id"])["id"].to_pylist()
    return sorted(kept), sorted(id for id in dropped if "[withheld" not in id)


def spread(ids: list[str], count: int) -> list[str]:
    """Return at most `count` ids, as far apart as they can be."""
    return ids if len(ids) <= count else [ids[len(ids) * n // count] for n in range(count)]


def describe(workspace: Path, texts: Path) -> dict[str, str]:
    """Return the root and the digests of a workspace; write the texts behind the digests into a folder."""
    release = find_release(workspace)
    kept, dropped = list_ids(release)

    def explain(id: str) -> str:
        ended = small_corpus.malmoi_in_process("why", workspace, id)
        if ended.returncode:  # an erasure has taken the stages
            ended = small_corpus.malmoi_in_process("why", release, id)
        return f"== {id}: {ended.returncode}\n{ended.stdout}{ended.stderr}"

    about = {
        "sums": (release / "SHA256SUMS").read_text("utf-8"),
        "card": (release / "card.json").read_text("utf-8"),
        "verify": run("verify", release),
        "why": "\n".join(map(explain, spread(kept, 25) + spread(dropped, 25))),
    }
    about = {name: _KEY.sub("(key)", text.replace(str(workspace.parent), "")) for name, text in about.items()}
    for name, text in about.items():
        write(texts / f"{name}.txt", text)
    root = json.loads((release / "manifest.json").read_text("utf-8"))["root"]
    return {"root": root} | {name: hashlib.sha256(text.encode()).hexdigest() for name, text in about.items()}


@contextmanager
def make_folder(keep: Path | None) -> Iterator[Path]:
    """Yield a folder, deleted afterwards unless it was asked for."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="malmoi-frozen-") as name:
        yield Path(name)


def list_names() -> list[str]:
    """Return the names of the workspaces whose corpora are here."""
    from benchmarks.sources.corpora import CORPORA

    return [name for name in WORKSPACES if name != "real" or CORPORA.is_dir()]


def make_all(names: list[str], folder: Path) -> dict[str, dict[str, str]]:
    """Make these workspaces below a folder and describe them."""
    os.environ["MALMOI_SAMPLE_PORT"] = str(PORTS["demo"])
    frozen_clock.freeze()
    described = {}
    for name in names:
        root = folder / name
        root.mkdir()
        WORKSPACES[name](root)
        described[name] = describe(root / "w", folder / "texts" / name)
        print(name, described[name]["root"], file=sys.stderr, flush=True)
    return described


def main() -> int:
    """Compare, or write; status 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.frozen.roots")
    parser.add_argument("--only", nargs="+", choices=WORKSPACES, default=list_names())
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    known = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    with make_folder(given.keep) as folder:
        described = make_all(given.only, folder)
    if given.write:
        write(FILE, json.dumps(known | described, indent=1, sort_keys=True) + "\n")
        return 0
    differing = [
        f"{name}: {what}"
        for name, about in described.items()
        for what in about
        if about[what] != known.get(name, {}).get(what)
    ]
    print("\n".join(differing) or "all equal")
    return bool(differing)


if __name__ == "__main__":
    raise SystemExit(main())
