"""`make bench`: what a page costs on web-ko or the archive that BENCH_CORPUS names, and what it costs datatrove."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import measure, peer
from benchmarks.measure import Usage
from benchmarks.sources import web_ko
from malmoi.archive import capture
from malmoi.source import Warc

HERE = Path(__file__).parent
RECIPE = str(HERE / "recipes" / "real.toml")
SOURCE = str(HERE / "sources" / "web_ko.py")
RESULTS = HERE / "results.json"
NEW_EVERY = 100  # every hundredth page is held back and comes as new
out = Console(highlight=False)


def main() -> int:
    """Run everything, print the tables, write results.json."""
    archive = find_archive()
    if archive is None:
        print("benchmarks: the corpus web-ko is not here; name an archive with BENCH_CORPUS.", file=sys.stderr)
        return 2
    try:
        interpreter = peer.python()
    except peer.PeerError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="malmoi-bench-") as folder:
        root = Path(folder)
        whole, grown = _corpus(root / "corpus", archive), _corpus(root / "growing", archive)
        (whole / archive.name).symlink_to(archive)
        _write(archive, grown / "old.warc.gz", new=False)
        pages, size = _pages(archive)
        one, _ = _run(root, "one", 1, whole)
        two, answer = _run(root, "two", 2, whole)
        idle, _ = _run(root, "two", 2, whole)
        before, _ = _run(root, "grown", 2, grown)
        _write(archive, grown / "new.warc.gz", new=True)
        more, more_answer = _run(root, "grown", 2, grown)
        kept = measure.kept(sorted(Path(answer["folder"]).glob("data/**/*.parquet")))
        parts = _parts(root, "two", whole)
        stages: dict[str, float] = answer["stages"]
        corpus = {
            "pages": pages,
            "cpu_ms_per_page": 1000 * two.cpu / pages,
            "pages_per_s_per_core": pages / two.cpu,
            "peak_mb": two.peak_mb,
            "stages": stages,
            "parts": parts,
            **kept,
        }
        _print(pages, size, one, two, stages, kept)
        _print_parts(pages, two, stages, parts)
        _print_rerun(two, idle, before, more, more_answer["stages"])
        status, peers = _peers(interpreter, archive, root / "peer", corpus)
    RESULTS.write_text(json.dumps({"corpus": corpus, "peers": peers}, indent=1) + "\n", encoding="utf-8")
    return status


def _peers(interpreter: Path | None, archive: Path, folder: Path, corpus: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The exit status and the entry `peers`; a peer that fails costs the status, not Malmoi's own figures."""
    if interpreter is None:
        _say("datatrove", "left out (BENCH_PEER=none)")
        return 0, {}
    try:
        found = peer.run(interpreter, archive, folder, corpus["pages"])
    except peer.PeerError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1, {}
    out.print(peer.table(corpus, found))
    out.print(peer.NOTE)
    return 0, {"datatrove": found}


def _corpus(folder: Path, archive: Path) -> Path:
    folder.mkdir()
    if (archive.parent / "SOURCE.txt").exists():
        (folder / "SOURCE.txt").symlink_to(archive.parent / "SOURCE.txt")
    return folder


def find_archive() -> Path | None:
    """The archive of the source, or the largest of its folder."""
    access = web_ko.SOURCE.access
    assert isinstance(access, Warc)
    path = access.paths[0]
    found = [path] if path.is_file() else sorted(path.glob("*.warc*"), key=lambda p: p.stat().st_size)
    return found[-1] if found else None


def _pages(archive: Path) -> tuple[int, int]:
    rows, _ = capture.index(archive, archive.name)
    best = {row.url: row.size for row in rows if row.status == 200 and row.kind == "response"}
    return len(best), sum(best.values())


def _run(root: Path, name: str, workers: int, corpus: Path) -> tuple[Usage, dict[str, Any]]:
    answer = root / "answer.json"
    command = [sys.executable, "-m", "benchmarks.drive", RECIPE, SOURCE, str(root / name), str(workers), str(answer)]
    usage = measure.run(command, {"BENCH_CORPUS": str(corpus)})
    if usage.status:
        raise SystemExit(f"benchmarks: the run with {workers} workers ended with status {usage.status}")
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return usage, found


def _parts(root: Path, name: str, corpus: Path) -> dict[str, float]:
    """What `benchmarks.parts` finds: the mean of two at once, which slow each other down as two workers do."""
    answers = [root / "parts-1.json", root / "parts-2.json"]
    command = [sys.executable, "-m", "benchmarks.parts", SOURCE, str(root / name)]
    env = {**os.environ, "BENCH_CORPUS": str(corpus)}
    running = [subprocess.Popen([*command, str(to)], env=env) for to in answers]
    if [process.wait() for process in running] != [0, 0]:
        raise SystemExit("benchmarks: the run could not be gone over again (see above)")
    one, two = (json.loads(answer.read_text(encoding="utf-8")) for answer in answers)
    return {part: (one[part] + two[part]) / 2 for part in one}


def _write(archive: Path, target: Path, *, new: bool) -> None:
    """The archive without every hundredth page, or just those: what a later crawl would bring."""
    with target.open("wb") as stream:
        for number, entry in enumerate(capture.scan(archive)):
            if not isinstance(entry, capture.Torn) and (number % NEW_EVERY == NEW_EVERY // 2) is new:
                page = entry[2]
                stream.write(capture.warc_record(page.url, page.fetched, page.status, page.headers, page.body))


def _print(pages: int, size: int, one: Usage, two: Usage, stages: dict[str, float], kept: dict[str, int]) -> None:
    table = Table("stage", "CPU s", "CPU s / 1,000 pages", "share", title=f"{pages:,} pages, two workers")
    rest = two.cpu - sum(stages.values())
    for name, seconds in [*stages.items(), ("start, end", rest), ("all", two.cpu)]:
        table.add_row(name, f"{seconds:.2f}", f"{1000 * seconds / pages:.2f}", f"{seconds / two.cpu:.0%}")
    out.print(table)
    _say("CPU a page", f"{1000 * two.cpu / pages:.1f} ms (with one worker {1000 * one.cpu / pages:.1f} ms)")
    _say("pages/s/core", f"{pages / two.cpu:.1f}")
    _say("payload MB/s/core", f"{size / 1e6 / two.cpu:.2f}")
    _say("wall, one / two workers", f"{one.wall:.1f} s / {two.wall:.1f} s = {one.wall / two.wall:.2f}×")
    _say("peak memory (sum of PSS)", f"{two.peak_mb:,.0f} MB with two workers, {one.peak_mb:,.0f} MB with one")
    _say("kept", f"{kept['kept']:,} documents, {kept['kept_chars']:,} characters")


def _print_parts(pages: int, two: Usage, stages: dict[str, float], parts: dict[str, float]) -> None:
    """Extraction and Kiwi as `benchmarks.parts` finds them, and what is left of the whole run."""
    extraction, kiwi = parts["extraction"], parts["kiwi"]
    for name, cpu in {
        "extraction": extraction,
        "Kiwi": kiwi,
        "everything else": two.cpu - extraction - kiwi,
        "  beside extraction": stages["2-documents"] - extraction,
        "  beside Kiwi": stages["4-judged"] - kiwi,
    }.items():
        _say(name, f"{1000 * cpu / pages:.2f} ms a page")
    speed = f"{parts['bare_kiwi'] / kiwi:.0%} of bare Kiwi.tokenize" if kiwi else "not used"
    _say("speed of the Kiwi stage", f"{speed} ({parts['analysed']:,.0f} documents)")


def _print_rerun(two: Usage, idle: Usage, before: Usage, more: Usage, stages: dict[str, float]) -> None:
    """The cost of a rerun: the whole command, and what it costs beyond starting up and finding nothing to do."""
    _say("rerun, nothing new", f"{idle.cpu:.2f} s CPU = {idle.cpu / two.cpu:.1%} of the full run")
    _say("rerun, 1 % new pages", f"{more.cpu:.2f} s CPU = {more.cpu / before.cpu:.1%} of the run before")
    for name, seconds in stages.items():
        _say(f"  {name}", f"{seconds:.2f} s CPU")


def _say(what: str, value: str) -> None:
    out.print(f"{what:<26} {value}", markup=False)


if __name__ == "__main__":
    os.environ.pop("PREFECT_API_URL", None)
    sys.exit(main())
