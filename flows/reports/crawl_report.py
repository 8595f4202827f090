"""Crawl report: for each source the requested, received, readable and usable items, with reasons for each loss.

`reports/collection.html`, `.ko.html` and `.json` of a workspace; counts and reasons only, never text.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.table import Table
from rich.text import Text

from crawlers import catalogue
from data_cards.reports import write_report
from flows.console import SafeConsole
from flows.curate import extract_jobs
from flows.engine.progress import Progress
from malmoi import __version__
from malmoi.archive import collection
from malmoi.archive.collection import GONE
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import MalmoiError
from malmoi.ledger import Ledger, total
from malmoi.licensing.rights_decision import RULES_VERSION, decide, table_digest
from malmoi.printable import escape_controls
from malmoi.source import Source
from malmoi.storage import shard, shard_facts
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace
from malmoi.workspace_layout import RIGHTS

SHOWN = 6  # reasons of one step on a terminal; the HTML page has all
UNREAD = "links-unread"  # pages fetched whose links could not be read
BEYOND = ("too-long", "too-many-lists", "frontier-full", "max-pages")  # addresses not requested because of a limit
GONE_BY = {collection.DAMAGED: "damaged", 301: "moved", 403: "closed to robots", 404: "not found", 410: "removed"}


@dataclass(frozen=True, slots=True)
class Stretch:
    """One step of the funnel: how many remain, and what was lost before it."""

    name: str
    name_ko: str
    unit: str
    count: int
    lost: tuple[tuple[str, int], ...] = ()  # reason → how many, most first


@dataclass(frozen=True, slots=True)
class Funnel:
    """The steps of one source, from the requested addresses to the usable documents."""

    source: str
    title: str
    publisher: str
    last: str  # UTC day of the newest capture
    runs: int
    steps: tuple[Stretch, ...]
    licences: tuple[tuple[str, str, int], ...]  # licence, use, documents
    hosts: tuple[tuple[str, int, int, int, int], ...]  # host, answers, bytes, blocked, failed; of the newest run
    missing: int = 0  # shards that are not extracted yet


def count_funnels(
    workspace: Workspace, names: Sequence[str], read: Mapping[str, Sequence[Ledger]] | None = None
) -> list[Funnel]:
    """Count the funnel of each collected source.

    `read` holds the known extraction shards of each source; missing ones are looked up in the workspace.
    """
    sources = [(name, catalogue.load(name).source) for name in names]
    found = [(name, source, collection.list_runs(workspace.captures(source.name))) for name, source in sources]
    return [
        _build_funnel(workspace, name, source, runs, (read or {}).get(name)) for name, source, runs in found if runs
    ]


def refresh(
    workspace: Workspace, names: Sequence[str], progress: Progress, read: Mapping[str, Sequence[Ledger]] | None = None
) -> list[Funnel]:
    """Write the report again; a source that cannot be counted is reported and stops nothing."""
    found: list[Funnel] = []
    for name in dict.fromkeys(names):
        try:
            found += count_funnels(workspace, [name], read)
        except MalmoiError as error:  # collection and curation report their own errors
            progress.say(f"  no crawl report of {name}: {error}")
    if found:
        write(workspace, found)
    return found


def write(workspace: Workspace, found: Sequence[Funnel]) -> Path:
    """Write the report and return its page; sources that are not in `found` keep their last entry."""
    ours = {funnel.source: asdict(funnel) for funnel in found}
    told = {
        said["source"]: said for said in read_report(workspace) if workspace.captures(said["source"]).exists()
    } | ours
    sources = [told[name] for name in sorted(told)]
    plain = {"malmoi": __version__, "sources": sources}
    place = workspace.report("collection")
    replace_file(place.with_suffix(".json"), json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
    write_report("collection.html", place, sources=sources)
    return place


def read_report(workspace: Workspace) -> list[dict[str, Any]]:
    """Read the entries of the report, one per source; [] if it is missing, damaged, or of another version."""
    try:
        told = json.loads(workspace.report("collection").with_suffix(".json").read_text(encoding="utf-8"))
        return [said | {"source": str(said["source"])} for said in told["sources"] if told["malmoi"] == __version__]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def show_funnels(found: Sequence[Funnel], out: SafeConsole) -> None:
    """Print the funnels as a table, one row per step."""
    table = Table("source", "step", "count", "lost before it", title="From requested addresses to usable documents")
    table.columns[2].justify = "right"
    for funnel in found:
        for number, step in enumerate(funnel.steps):
            lost = " · ".join(f"{reason} {count:,}" for reason, count in step.lost[:SHOWN])
            if len(step.lost) > SHOWN:
                lost += f" · {len(step.lost) - SHOWN} more reasons"
            table.add_row(funnel.source if not number else "", step.name, f"{step.count:,}", Text(lost))
        table.add_section()
    out.print(table)


def _build_funnel(
    workspace: Workspace, name: str, source: Source, runs: Sequence[Path], read: Sequence[Ledger] | None
) -> Funnel:
    facts, captures = collection.read_facts(runs[-1]), collection.summarise(workspace.captures(source.name))
    lost: Counter[str] = Counter({"archived but unreadable": int(facts.get("lost", 0))})
    for status, count in captures.gone:
        lost[GONE_BY.get(status, GONE)] += count
    name_ko, current = "현재 캡처 (모든 실행)", captures.current
    steps = [*_crawl_steps(facts)]
    steps.append(Stretch("current captures, all runs", name_ko, "captures", current, _rank_reasons(lost)))
    missing = 0
    if read is None:
        jobs = list(extract_jobs(workspace, name))
        read = [ledger for job in jobs if (ledger := workspace.ledger("2-documents", job.key)) is not None]
        missing = len(jobs) - len(read)
    ledgers = read
    licences: Counter[tuple[str, str]] = Counter()
    if ledgers:
        _, kept, dropped, failed = total(ledgers)
        lost = Counter()
        for (_, _, reason), count in dropped.items():
            lost[reason] += count
        lost.update(failure.why for failure in failed)
        torn = sum(len(ledger.torn) for ledger in ledgers)
        if torn:
            lost["damaged record"] = torn
        steps.append(Stretch("read as text", "본문을 추출한 문서", "documents", kept.total(), _rank_reasons(lost)))
        reasons: Counter[str] = Counter()

        def count_rights(folder: Path) -> list[list[object]]:
            """Return (licence, use, reason, documents) of a shard, sorted."""
            found: Counter[tuple[str, str, str]] = Counter()
            for row in shard.read(folder / "documents.parquet", ["evidence", "signals"]).to_pylist():
                evidence = tuple(LicenceEvidence(**one) for one in row["evidence"])
                rights = decide(evidence, tuple(Signal(**one) for one in row["signals"]))
                found[rights.licence or "none", rights.use, rights.reason or ""] += 1
            return [[*key, count] for key, count in sorted(found.items())]

        for ledger in ledgers:
            folder, question = workspace.stage("2-documents", ledger.key), [RULES_VERSION, table_digest()]
            for licence, use, reason, count in shard_facts.recall(
                folder / RIGHTS, question, partial(count_rights, folder)
            ):
                licences[licence, use] += count
                if use != "redistribute":
                    reasons[reason or use] += count
        usable = sum(count for (_, use), count in licences.items() if use == "redistribute")
        steps.append(Stretch("may be redistributed", "재배포 가능", "documents", usable, _rank_reasons(reasons)))
    by_host: dict[str, dict[str, int]] = facts.get("by_host", {})
    return Funnel(
        source=source.name,
        title=source.title,
        publisher=source.publisher,
        last=escape_controls(captures.fetched[:10]),
        runs=len(runs),
        steps=tuple(steps),
        licences=tuple((escape_controls(licence), use, count) for (licence, use), count in licences.most_common()),
        hosts=tuple(
            (escape_controls(host), n.get("fetched", 0), n.get("bytes", 0), n.get("blocked", 0), n.get("failed", 0))
            for host, n in sorted(by_host.items())
        ),
        missing=missing,
    )


def _crawl_steps(facts: dict[str, Any]) -> list[Stretch]:
    """Return the steps of the newest run, as the crawler or the folder reader counted them; none for archives."""
    if facts.get("not_taken"):
        left = Counter(why for _, why in facts["not_taken"])
        return [Stretch("files accepted", "수집한 파일", "files", int(facts["found"]), _rank_reasons(left))]
    if "fetched" not in facts:
        return []
    blocked: Counter[str] = Counter(facts.get("blocked_by") or {"blocked": facts.get("blocked", 0)})
    listed = facts.get("failed") or []
    failed: Counter[str] = Counter(facts.get("failed_by") or Counter(str(one["why"]) for one in listed))
    answered = int(facts.get("pages", 0))
    asked = answered + blocked.total() + failed.total() - failed[UNREAD]
    beyond: Counter[str] = Counter({why: facts.get("left_out", {}).get(why, 0) for why in BEYOND})
    limits = facts.get("limits", {})
    name, name_ko, causes = "addresses requested in the last run", "마지막 수집에서 요청한 주소", blocked + failed
    return [
        Stretch(name, name_ko, "addresses", asked, _rank_reasons(beyond, limits)),
        Stretch("pages answered", "응답한 페이지", "pages", answered, _rank_reasons(causes, limits)),
    ]


def _rank_reasons(lost: Counter[str], limits: Mapping[str, str] = MappingProxyType({})) -> tuple[tuple[str, int], ...]:
    """Rank reasons by count, with the value of the limit if the reason has one."""
    ordered = sorted(lost.items(), key=lambda pair: (-pair[1], pair[0]))
    named = ((f"{reason} ({limits[reason]})" if reason in limits else reason, count) for reason, count in ordered)
    return tuple((escape_controls(reason), count) for reason, count in named if count)
