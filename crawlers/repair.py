"""Repair the archive of a source: leave damaged records out, count them, and keep all others.

An archive stays as it is; only the index and the facts of a run are written anew. A capture that is left out is noted
as gone, as an earlier one of its address may say what the page no longer says. The next collection asks for it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crawlers.collect import finish_crawl, mark_gone
from crawlers.rights.policy_files import is_lasting
from crawlers.web.site_files import INSTRUMENT
from malmoi.archive import capture, collection
from malmoi.archive.capture import IndexRow, Torn
from malmoi.archive.collection import ARCHIVED, DAMAGED, LICENCE, Run
from malmoi.boundary import input_errors
from malmoi.errors import CaptureError
from malmoi.source import Source
from malmoi.storage.on_demand import renew
from malmoi.workspace_layout import STATS


@dataclass(frozen=True, slots=True)
class Repaired:
    """The outcome of a repair of one run."""

    run: str
    rows: int  # of its index, before
    left_out: int = 0  # damaged records
    stay: tuple[str, ...] = ()  # addresses of damaged files about a site, such as robots.txt
    rebuilt: bool = False  # the index was made anew from the archive

    def describe(self) -> str:
        """Say in a line what was damaged, and what to do about it."""
        said = f"run {self.run}: {self.left_out:,} damaged of {self.rows:,} records left out"
        said += ", index made anew" if self.rebuilt else ""
        return said + "".join(
            f"\n  {url} is damaged and stays, because it may be an opt-out: collect again, then repair again"
            for url in self.stay
        )


def repair(home: Path, source: Source | None) -> list[Repaired]:
    """Repair the finished runs of a source below `home`, oldest first; the caller holds the lock of the workspace.

    A damaged index or run.json of a crawl is made anew from its archive; that needs `source`. Files in which a
    site speaks of itself (robots.txt, ai.txt) stay until a later run has asked again: they may be an opt-out.

    Raises:
        CaptureError: an index or run.json is damaged and cannot be made anew.
        SourceError: the archive no longer has the proof of a licence.
    """
    found, rebuilt = list[Run](), set[str]()
    for folder in collection.list_runs(home):
        try:
            found.append(collection.read_run(folder))
        except CaptureError:
            if source is None or not (folder / STATS).exists():
                raise
            with input_errors(partial(_stats_error, folder / STATS)):
                finish_crawl(source, folder, found)
            found.append(collection.read_run(folder))
            rebuilt.add(folder.name)
    done, whole = [], dict[Path, set[tuple[int, str, str]]]()
    for number, run in enumerate(found):
        rows = (row for one in found[number + 1 :] for row in one.rows)
        later = {row.url for row in rows if row.kind == INSTRUMENT and is_lasting(row)}
        # The rows whose records are read from an archive of the workspace.
        read = (row for row in run.rows if row.status == 200 or (row.kind == INSTRUMENT and row.status < 400))
        kept = (row for row in read if row.kind in (*ARCHIVED, LICENCE, INSTRUMENT) and is_lasting(row))
        ours = [row for row in kept if not Path(row.path).is_absolute()]
        damaged = [row for row in ours if not _is_whole(run, row, whole)]
        stay = tuple(row.url for row in damaged if row.kind == INSTRUMENT and row.url not in later)
        out = {row for row in damaged if row.url not in stay}
        if out:
            _leave_out(run, out)
        done.append(Repaired(run.folder.name, len(run.rows), len(out), stay, run.folder.name in rebuilt))
    return done


def _stats_error(path: Path, name: str) -> CaptureError:
    return CaptureError(f"{path}: cannot be read ({name}), so no index can be made anew. Restore the run from a copy.")


def _is_whole(run: Run, row: IndexRow, known: dict[Path, set[tuple[int, str, str]]]) -> bool:
    """Whether the archive has the record of a row; `known` keeps what archives have."""
    path, wanted = (run.folder / row.path).resolve(), (row.offset, row.record, row.payload_sha256)
    if path not in known:
        known[path] = _list_whole(path)
    if wanted not in known[path] and renew(path):
        known[path] = _list_whole(path)
    return wanted in known[path]


def _list_whole(path: Path) -> set[tuple[int, str, str]]:
    """Return offset, id and payload digest of each record that can be read: none of a file that is lost as a whole."""
    try:
        return {(row.offset, row.record, row.payload_sha256) for row in capture.index(path, "", own=None)[0]}
    except (CaptureError, FileNotFoundError):
        return set()


def _leave_out(run: Run, out: set[IndexRow]) -> None:
    rows = [row for row in run.rows if row not in out]
    rows += [mark_gone(row, status=DAMAGED) for row in out if row.kind in ARCHIVED]
    torn = sorted(Torn(row.path, row.offset, row.url, "damaged since it was archived").describe() for row in out)
    facts = run.facts | {"lost": run.facts.get("lost", 0) + len(torn)}
    collection.rewrite(run, rows, facts | {"torn_records": [*run.facts.get("torn_records", ()), *torn]})
