"""Collect: bring the captures of a source up to date, from the web or from local files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from crawlers import catalogue
from crawlers import collect as sources
from flows import archive_indexes
from flows.engine.progress import Progress
from flows.plurals import count_of
from flows.reports import crawl_progress
from malmoi.archive import collection
from malmoi.erasure.tombstones import read_matcher
from malmoi.errors import SourceError
from malmoi.source import Folder, TermsCheck, Warc
from malmoi.statistics import Sample
from malmoi.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Collected:
    """The counts of one collection."""

    source: str
    new: int  # captures that were not archived before
    current: int  # current captures of the source, one per address
    gone: int = 0
    blocked: int = 0  # addresses that robots.txt or the SSRF guard forbade
    failed: int = 0
    torn: int = 0  # records that could not be read

    @property
    def summary(self) -> str:
        """Return in one line what is new and current."""
        return f"{self.source}: {self.new:,} new, {self.current:,} current"


def collect(
    workspace: Workspace,
    name: str,
    progress: Progress,
    *,
    limit: int | None = None,
    sample: Sample | None = None,
    contact: str | None = None,
    terms: TermsCheck | None = None,
) -> Collected:
    """Collect the source `name`; SourceError says what is wrong with it and what to do.

    `limit` takes the first captures, `sample` draws some at random. `terms` is the operator's own
    record of a terms check, for a source that ships unreviewed.
    """
    definition = catalogue.load(name)
    source = definition.source
    sources.check_licences(source)
    home = workspace.captures(source.name)
    earlier = collection.runs(home)
    folder = collection.open_run(home)
    before = collection.summarise(home, earlier)
    progress.costs = workspace.costs
    with progress.stage(f"collect {source.name}", 0) as step:
        if isinstance(source.access, Folder | Warc):
            matcher = read_matcher(workspace.withdrawals, workspace.erasure_key)
            read = archive_indexes.make_reader(workspace, source.name, matcher)
            counts = sources.collect_local(
                source, folder, earlier, limit=limit, sample=sample, matcher=matcher, read=read
            )
        else:
            job = {
                "source": str(Path(name).absolute()) if name.endswith(".py") else name,
                "run_dir": str(folder),
                "earlier": [str(run.folder) for run in earlier],
                "limit": limit,
                "sample": asdict(sample) if sample else None,
                "contact": contact,
                "user_agent_suffix": None,
                "terms": asdict(terms) if terms else None,
                "withdrawals": str(workspace.withdrawals),
                "erasure_key": str(workspace.erasure_key),
            }
            crawl_progress.run_crawler(definition, folder, job, crawl_progress.make_observer(step))
            counts = sources.finish_crawl(source, folder, earlier)
            for found in sources.describe_findings(definition, folder, counts):
                progress.say(f"  {source.name}: {found}")
        now = [*earlier, *([collection.read_run(folder)] if (folder / "run.json").exists() else [])]
        for run in collection.find_superseded(now):  # runs that say nothing that the last one does not say
            with workspace.temporary_folder() as temporary:
                run.folder.rename(temporary / run.folder.name)  # deleted file by file it would look unfinished
            now.remove(run)
        after = collection.summarise(home, now)
        current = after.current
        step.has_changed = counts["new"] > 0 or (before.current, before.gone) != (after.current, after.gone)
        named = {key: key for key in ("gone", "left out", "withdrawn", "blocked", "failed")}
        named["torn"] = "archived but unreadable"
        others = "".join(f" · {counts[key]:,} {word}" for key, word in named.items() if counts.get(key))
        step.says = f"{counts['new']:,} new · {current:,} current{others}"
    if limit is None and not sample and not source.expect.at_least <= current <= source.expect.at_most:
        raise SourceError(
            f"{source.name}: {current} current captures, expected {source.expect.at_least} to "
            f"{source.expect.at_most}. Compare the addresses, hosts and scope of its access with the source; correct "
            "`expect` if it has changed."
        )
    extra = {k: counts[k] for k in ("gone", "blocked", "failed", "torn") if k in counts}
    return Collected(source.name, counts["new"], current, **extra)


def describe_collection(workspace: Workspace, name: str) -> str:
    """Describe in one line what `collect` would do; nothing is fetched or written."""
    source = catalogue.load(name).source
    current = len(collection.find_last(collection.runs(workspace.captures(source.name))))
    return f"{source.name}: {sources.describe_access(source)}; {count_of(current, 'current capture')}"
