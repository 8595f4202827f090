"""`malmoi demo`: serve the sample site on loopback, crawl it with the real crawler, and make a release."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
from rich.table import Table

from crawlers.sample.site import serve
from crawlers.sources.sample import PORT
from flows import run as runs
from flows.console import SafeConsole
from flows.curate import Curated, curate
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from flows.release import Released, release
from flows.reports import crawl_report, curation_report
from malmoi.errors import CallError
from malmoi.ledger import total
from malmoi.release_files import audit_file
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

WORDS: dict[Stage, str] = {
    "2-documents": "text extraction",
    "3-clean": "rights, language, surface form",
    "4-judged": "exact duplicates, morphemes, quality, domain",
    "5-curated": "near-duplicates, personal data",
}


def demo(root: Path, out: SafeConsole) -> Released:
    """Run the whole pipeline once; CallError if the port is in use."""
    began = time.monotonic()
    workspace = Workspace.open(root)
    recipe = runs.recipe_of("general")
    names, mapper, progress = ("sample",), executors.thread_mapper(worker_pool.count()), Progress()
    with ExitStack() as stack:
        stack.enter_context(workspace.lock())
        try:
            base = stack.enter_context(serve(PORT))
        except OSError as error:
            raise CallError(f"port {PORT}: {error.strerror}; set MALMOI_SAMPLE_PORT to a free one.") from error
        out.print(f"The sample site is served at {base}; Scrapy crawls it like any other site.\n")
        runs.collect_all(workspace, names, progress, limit=None, contact=None)
        curated = curate(workspace, recipe, names, mapper, progress)
        crawl_report.refresh(workspace, names, progress, dict(curated.read))
        report = curation_report.write(workspace, recipe, curated)
        made = release(workspace, recipe, names, curated, mapper, progress)
    show(workspace, curated, made, out)
    out.print(f"\n{time.monotonic() - began:.0f} seconds. Next:")
    for line in (
        f"{command_prefix()} verify {shlex.quote(str(made.folder))}",
        f"{command_prefix()} why {shlex.quote(str(root))} sample/law/petition-refund.html",
        f"open {made.folder}/index.html",
        f"open {workspace.report('collection')}",
        f"open {report}",
    ):
        out.print(f"  {line}")
    return made


def command_prefix() -> str:
    """Return the command to paste: after `make demo` no environment is active, and malmoi is not on the path."""
    beside = Path(sys.executable).with_name("malmoi")
    return shlex.quote(str(beside)) if shutil.which("malmoi") is None and beside.exists() else "malmoi"


def show(workspace: Workspace, curated: Curated, made: Released, out: SafeConsole) -> None:
    """Print the stages, the drop reasons, and the paths of release and card."""
    funnel = Table("stage", "checks", "in", "kept", "dropped", "failed", title="Stages")
    reasons: list[pa.Table] = []
    for stage, ledgers in curated.stages:
        entered, kept, dropped, failed = total(ledgers)
        numbers = (entered.total(), kept.total(), dropped.total(), len(failed))
        funnel.add_row(stage, WORDS[stage], *(f"{n:,}" for n in numbers))
        for ledger in ledgers:
            reasons.append(shard.read(workspace.stage(stage, ledger.key) / "dropped.parquet", ["id", "by", "reason"]))
    out.print(funnel)
    table = pa.concat_tables(reasons)
    groups = table.group_by(["by", "reason"]).aggregate([("id", "count"), ("id", "list")])
    why = Table("filter", "reason", "documents", "example", title="Dropped documents by reason")
    for row in groups.sort_by([("id_count", "descending"), ("by", "ascending"), ("reason", "ascending")]).to_pylist():
        first = sorted(row["id_list"])[0]
        why.add_row(row["by"], row["reason"], f"{row['id_count']}", first)
    out.print(why)
    masked = shard.read(audit_file(made.folder, "personal_data"))
    kinds = masked.group_by(["kind"]).aggregate([("n", "sum")]).sort_by("kind").to_pylist()
    redacted = ", ".join(f"{row['kind']} {row['n_sum']}" for row in kinds) or "none"
    out.print(f"\nPersonal data replaced: {redacted}")
    out.print(f"Release {made.says()}")
    out.print(f"  card {made.folder / 'README.md'} and index.html")
