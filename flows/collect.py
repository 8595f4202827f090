"""Collect: bring the captures of a source up to date, from the net or from this machine."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from crawlers import catalogue, local
from crawlers.catalogue import Definition
from crawlers.formats.encodings.charset_labels import charset_of
from crawlers.rights import claims
from crawlers.rights.host.policy_files import INSTRUMENT, is_instrument
from flows.engine.progress import Progress
from flows.reports import crawl_progress
from malmoi.archive import capture, collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import GONE, ITEMS, LICENCE, Run
from malmoi.boundary import input_errors
from malmoi.errors import CallError, SourceError
from malmoi.licensing import rights_decision
from malmoi.printable import escape_controls
from malmoi.processes.import_path import PYTHON
from malmoi.source import Api, Dump, Feed, Folder, Git, LicenceClaim, Site, Sitemap, Source, TermsCheck, Warc
from malmoi.workspace import Workspace, replace_file

CLOSED, OPEN = "pages.warc.gz", "pages.warc.gz.open"
MOVED = (301, 308)  # the page has another address now; what it says there is another capture
PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection came to."""

    source: str
    new: int  # captures that were not there before
    current: int  # captures of the source that stand now
    gone: int = 0
    blocked: int = 0  # addresses that robots.txt or the guard forbade
    failed: int = 0
    torn: int = 0  # records that could not be read


def collect(
    workspace: Workspace,
    name: str,
    progress: Progress,
    *,
    limit: int | None = None,
    contact: str | None = None,
    terms: TermsCheck | None = None,
) -> Collected:
    """Collect the source `name`; SourceError says what is wrong with it and what to do.

    `terms` is the operator's own record of a check, for a source that ships unreviewed.
    """
    definition = catalogue.load(name)
    source = definition.source
    _check_licences(source)
    home = workspace.captures(source.name)
    earlier = collection.runs(home)
    folder = collection.open_run(home)
    with progress.stage(f"collect {source.name}", 0) as step:
        match source.access:
            case Folder() | Warc():
                counts = local.collect(source, folder, earlier, limit=limit)
            case Site() | Sitemap() | Feed() | Api() | Dump() | Git():
                job = {
                    "source": str(Path(name).absolute()) if name.endswith(".py") else name,
                    "run_dir": str(folder),
                    "earlier": [str(run.folder) for run in earlier],
                    "limit": limit,
                    "contact": contact,
                    "user_agent_suffix": None,
                    "terms": asdict(terms) if terms else None,
                }
                with crawl_progress.show_states(source.name, progress.console, quiet=progress.quiet) as show:
                    counts = _fetch(definition, folder, earlier, job, show)
        standing = sum(len(rows) for _, rows in collection.select_current(collection.runs(home)))
        step.says = f"{counts['new']:,} new · {standing:,} captures stand" + _format_counts(counts)
    if limit is None and not source.expect.at_least <= standing <= source.expect.at_most:
        raise SourceError(
            f"{source.name}: {standing} captures stand, expected {source.expect.at_least} to "
            f"{source.expect.at_most}. Look at the source; if it has changed, correct `expect` in its file."
        )
    extra = {k: counts[k] for k in ("gone", "blocked", "failed", "torn") if k in counts}
    return Collected(source.name, counts["new"], standing, **extra)


def _check_licences(source: Source) -> None:
    """SourceError for a claim of a licence that nobody knows: now, and not after hours of collecting."""
    for claim in source.claim:
        if rights_decision.terms(claim.licence) is None:
            raise SourceError(
                f"{source.name}: the claim names the licence {claim.licence!r}, which docs/rights.md does not list; "
                "correct the id in the source file, or add the licence to malmoi/licensing/licences.py."
            )


def describe_collection(workspace: Workspace, name: str) -> str:
    """What `collect` would do, in one line; nothing is fetched or written."""
    source = catalogue.load(name).source
    runs = collection.runs(workspace.captures(source.name))
    standing = sum(len(rows) for _, rows in collection.select_current(runs))
    match source.access:
        case Site(start=start, scope=scope):
            return f"{source.name}: crawl {', '.join(start)} within {', '.join(scope)}; {standing:,} captures stand"
        case Sitemap(urls=urls, scope=scope):
            return f"{source.name}: read {', '.join(urls)} within {', '.join(scope)}; {standing:,} captures stand"
        case Feed(urls=urls, scope=scope):
            return f"{source.name}: read {', '.join(urls)} within {', '.join(scope)}; {standing:,} captures stand"
        case Api(start=start):
            return f"{source.name}: ask {', '.join(start)}; {standing:,} captures stand"
        case Dump(url=url, path=path):
            return f"{source.name}: stream {url or path}; {standing:,} captures stand"
        case Git(url=url, branch=branch, commit=commit):
            return f"{source.name}: fetch {url} at {commit or branch}; {standing:,} captures stand"
        case Folder(path=path):
            return f"{source.name}: index the files of {path}; {standing:,} captures stand"
        case Warc(paths=paths):
            return f"{source.name}: index {', '.join(str(p) for p in paths)}; {standing:,} captures stand"


def _fetch(
    definition: Definition,
    folder: Path,
    earlier: Sequence[Run],
    job: dict[str, Any],
    show: Callable[[crawl_progress.State], None],
) -> dict[str, int]:
    source = definition.source
    state, looker = crawl_progress.State(source.name), crawl_progress.Looker(definition, folder / OPEN)
    folder.mkdir(parents=True, exist_ok=True)
    order = folder / "job.json"
    replace_file(order, json.dumps(job, ensure_ascii=False, indent=1) + "\n")
    command = [*PYTHON, "-m", "crawlers.fetch", str(order)]
    with (
        (folder / "errors.log").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=_end_with_parent
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                state.said |= json.loads(line)
                looker.look(state.uses)
                show(state)
            status = process.wait()
        except BaseException:
            process.terminate()  # what it has archived stands; the next run takes it up
            raise
        if status:
            errors.seek(0)
            ended = (
                f"{source.name}: the crawler was ended with status {status} and said nothing; what it has archived "
                "stands. Run the same command again, it goes on from there."
            )
            said = errors.read().strip().splitlines() or [ended]
            raise (CallError if status == 2 else SourceError)(escape_controls(said[-1]))
    stats_file = folder / "stats.json"
    stats = json.loads(stats_file.read_text(encoding="utf-8"))
    archive = folder / CLOSED  # of a dump on this machine without news it is empty: nothing else is archived beside it
    rows, torn = capture.index(archive, CLOSED) if archive.stat().st_size else ([], [])
    lost = max(len(torn), stats.get("records", 0) - len(rows))  # archived, and cannot be read back
    known = {row.url: row for _, standing in collection.select_current(earlier) for row in standing}
    try:
        rows = [_classify_row(row, folder, stats) for row in _prove_claims(source, rows, folder, earlier, stats)]
    except SourceError as error:
        # Without this mark the crawler would find its run finished, and never ask for the page again.
        replace_file(stats_file, json.dumps(stats | {"finished": "failed", "error": str(error)}, ensure_ascii=False))
        raise SourceError(f"{error} The next collect asks for the page anew and keeps the other pages.") from error
    new = [r for r in rows if r.status == 200 and r.kind in ITEMS]
    gone = _find_gone(known, rows, stats, folder)
    rows += gone
    facts = {k: v for k, v in stats.items() if k != "failed"} | {"source": source.name, "failed": stats["failed"]}
    facts |= {"lost": lost, "torn_records": [replace(one, path=CLOSED).describe() for one in torn]}
    collection.finish(folder, rows, facts)
    return {
        "new": len(new),
        "gone": len(gone),
        "blocked": stats["blocked"],
        "failed": len(stats["failed"]),
        "torn": lost,
    }


def _find_gone(
    known: Mapping[str, IndexRow], rows: Sequence[IndexRow], stats: dict[str, Any], folder: Path
) -> list[IndexRow]:
    """A row for each capture that stood and whose page this visit found no more: status 404, 410, moved, disallowed."""
    last = {row.url: row for row in sorted(rows, key=lambda row: row.offset)}
    found = {url: row.status for url, row in last.items() if row.status in (404, 410) or row.status in MOVED}
    found |= dict.fromkeys(stats.get("gone", ()), 404)  # of a dump or a repository, which is seen whole
    blocked = folder / "blocked.jsonl"
    for line in blocked.read_text(encoding="utf-8").splitlines() if blocked.exists() else ():
        said = json.loads(line)
        if said["reason"] == "robots-disallow":
            found[said["url"]] = 403
    when = max((row.fetched for row in rows), default="")
    return [
        replace(
            known[url], path="", offset=0, size=0, kind=GONE, fetched=when, status=301 if status in MOVED else status
        )
        for url, status in sorted(found.items())
        if url in known
    ]


def _end_with_parent() -> None:
    """Ask the kernel to end the crawler when we are killed: nobody else may crawl on behind our back."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _prove_claims(
    source: Source, rows: Sequence[IndexRow], folder: Path, earlier: Sequence[Run], stats: dict[str, Any]
) -> list[IndexRow]:
    """The rows of a run with its licence pages as evidence, once each claim's words have been found in its page.

    SourceError where the page answered neither 200 nor 304 in this run, or no longer says the words: what
    an earlier run has archived proves nothing for today.
    """
    proofs: dict[str, IndexRow] = {}
    for claim in source.claim:
        if claim.file:  # a file of the repository, archived like the others
            proofs |= _find_file_proof(source, claim, rows, folder)
        elif claim.url:
            url = claims.proof_address(claim)
            proofs[url] = proof = _find_proof(source, url, rows, folder, earlier, stats)
            page = capture.read(folder / proof.path, proof.offset, proof.record)
            media = page.header("content-type")
            claims.check_quote(claim, _read_proof_text(source, url, page.body, media, charset_of(media)))
    # An answer that a later one of the same run has replaced is no page of the source either.
    others = [replace(r, kind=INSTRUMENT) if r.url in proofs and r.kind == "response" else r for r in rows]
    return [*(r for r in others if r.record not in {p.record for p in proofs.values()}), *proofs.values()]


def _read_proof_text(source: Source, name: str, body: bytes, media: str, charset: str) -> str:
    """The text of a licence file or page; SourceError where a library fails at it."""

    def refuse(error: str) -> SourceError:
        return SourceError(
            f"{source.name}: {name}, on which a claim rests, cannot be read ({error}); a claim needs its proof. "
            "Look at it; name another page or file in the LicenceClaim, or retire the source."
        )

    with input_errors(refuse):
        return claims.readable_text(body, media, charset, name)


def _find_file_proof(
    source: Source, claim: LicenceClaim, rows: Sequence[IndexRow], folder: Path
) -> dict[str, IndexRow]:
    """The licence file of a repository, which each run archives, under the name that the claim gives it."""
    found = [r for r in rows if r.kind == "resource" and unquote(r.url).endswith(f"/{claim.file}")]
    if not found:
        raise SourceError(
            f"{source.name}: the licence file {claim.file} is not in the repository; a claim needs its proof. "
            "Look at the repository; correct file of the LicenceClaim if it has moved, or retire the source."
        )
    row = min(found, key=lambda r: len(r.url))  # content/ko/LICENSE ends so too
    body = capture.read(folder / row.path, row.offset, row.record).body
    claims.check_quote(claim, _read_proof_text(source, claim.file, body, "", ""))
    return {claim.file: replace(row, url=claim.file, kind=LICENCE)}


def _find_proof(
    source: Source, url: str, rows: Sequence[IndexRow], folder: Path, earlier: Sequence[Run], stats: dict[str, Any]
) -> IndexRow:
    """The row of the licence page `url`: of this run, or of the earlier run whose answer this one confirms."""
    answers = [row for row in rows if row.url == url]
    last = max(answers, key=lambda row: row.offset, default=None)
    if last is not None and last.status == 200:
        return replace(last, kind=LICENCE)
    if last is not None and last.kind == "revisit":
        held = [
            (run, r)
            for run in earlier
            for r in run.rows
            if r.url == url and r.kind != "revisit" and r.status != 304 and r.status < 500
        ]
        if held and held[-1][1].status == 200 and held[-1][1].kind != GONE:
            run, row = held[-1]
            return replace(row, path=os.path.relpath(run.folder / row.path, folder), kind=LICENCE)
    why = next(
        (failed["why"] for failed in stats["failed"] if failed["url"] == url),
        "no answer, or blocked: see blocked.jsonl",
    )
    if last is not None:
        why = f"status {last.status}"
    raise SourceError(
        f"{source.name}: the licence page {url} was not had in this run ({why}); a claim needs its proof. "
        "Look at the page; correct url of the LicenceClaim if it has moved, or retire the source."
    )


def _classify_row(row: IndexRow, folder: Path, stats: Mapping[str, Any]) -> IndexRow:
    """robots.txt, opt-out files, lists of addresses, and answers that are none, are archived and are no captures."""
    if row.kind not in ("response", "revisit"):
        return row
    if row.url in stats.get("not_pages", ()) or row.record in stats.get("troubled", ()):
        return replace(row, kind=INSTRUMENT)
    body = b""
    if row.kind == "response" and row.status == 200 and ("xml" in row.media or "gzip" in row.media):
        body = capture.read(folder / row.path, row.offset, row.record).body
    return replace(row, kind=INSTRUMENT) if row.kind == "response" and is_instrument(row.url, body) else row


def _format_counts(counts: dict[str, int]) -> str:
    named = {key: key for key in ("gone", "left out", "blocked", "failed")} | {"torn": "archived and unreadable"}
    return "".join(f" · {counts[key]:,} {word}" for key, word in named.items() if counts.get(key))
