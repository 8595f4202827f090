"""Collect a source into a run: index local files or archives, or finish a run of the crawler.

The rows of a run are captures, licence proofs, policy files (robots.txt, sitemaps: archived, but not
text of the source) and notes that a page has disappeared.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crawlers import local_files, proofs
from crawlers.catalogue import Definition
from crawlers.fetch.archive import FreshArchive
from crawlers.fetch.job import ASK_AGAIN
from crawlers.local_files import Left, ReadArchive, index_archives, read_archive
from crawlers.rights import claims
from crawlers.web.addresses import covers, form_of
from crawlers.web.site_files import INSTRUMENT, mark_policy_file
from crawlers.withdrawn import find_by_address
from malmoi.archive import capture
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ARCHIVED, GONE, ITEMS, LICENCE, Run, finish, read_run, select_current
from malmoi.boundary import input_errors
from malmoi.erasure.tombstones import Matcher
from malmoi.errors import CaptureError, SourceError
from malmoi.source import AccessPoint, Api, CommonCrawl, Dump, Feed, Folder, Git, OaiPmh, Site, Sitemap, Source, Warc
from malmoi.statistics import Sample, Stratum, describe, draw_by_size
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace_layout import BLOCKED, PAGES, STATS

LOOKED = 50  # answers of a run whose fields are compared with those that the source knows
NOTHING = Matcher((), b"")  # without tombstones
_FILES = "files.warc.gz"  # the archive of a run over local files
_MOVED = (301, 308)  # the page has another URL now; its content there is another capture
FEW = 2  # entries that may leave a list of any length, if some are left
MAX_LOSS = 0.2  # share of the entries of a list; a list that lost more is broken, and its entries are not gone


def check_licences(source: Source) -> None:
    """Raise SourceError if a claim names an unknown licence: before hours of collecting, not after."""
    for claim in source.claim:
        claims.check_licence(source, claim)


def describe_access(source: Source) -> str:
    """Describe how `source` is collected, as half a sentence."""
    match source.access:
        case Site(start=start, scope=scope):
            return f"crawl {', '.join(start)} within {', '.join(scope)}"
        case Sitemap(urls=urls, scope=scope) | Feed(urls=urls, scope=scope):
            return f"read {', '.join(urls)} within {', '.join(scope)}"
        case Api(start=start):
            return f"ask {', '.join(start)}"
        case OaiPmh(url=url, sets=sets):
            return f"harvest {url}" + (f" (sets {', '.join(sets)})" if sets else "")
        case Dump(url=url, path=path):
            return f"stream {url or path}"
        case Git(url=url, branch=branch, commit=commit):
            return f"fetch {url} at {commit or branch}"
        case CommonCrawl():
            from crawlers.fetch import common_crawl_index  # it imports DuckDB

            access = source.access
            said = f"ask {access.index or access.data} for {', '.join(access.languages)} pages of {access.crawl}"
            said += f" at {', '.join(access.hosts)}" if access.hosts else ""
            forecast = common_crawl_index.forecast_local(source, access)
            # With an index on this machine, also what it answers.
            what = forecast.describe() if forecast else "its forecast comes with the collection, which reads the index"
            return f"{said}; {what}"
        case Folder(path=path):
            return f"index the files of {path}"
        case Warc(paths=paths):
            return f"index {', '.join(str(p) for p in paths)}"


@dataclass(frozen=True, slots=True)
class _Found:
    """The content of the access point: rows, unreadable records, and files that are left out."""

    rows: Sequence[IndexRow]
    torn: Sequence[str] = ()
    left: Sequence[Left] = ()
    sample: dict[str, Any] = field(default_factory=dict)  # the fact about the sample, if one was drawn


def collect_local(
    source: Source,
    folder: Path,
    earlier: Sequence[Run],
    *,
    limit: int | None = None,
    sample: Sample | None = None,
    matcher: Matcher = NOTHING,
    read: ReadArchive = read_archive,
) -> dict[str, int]:
    """Index what the source's folder or archives hold and the earlier runs do not; return the counts of the run.

    What is withdrawn is not indexed; what an earlier run has indexed of it stays until it is purged.

    A run without changes writes nothing. Raises SourceError or CaptureError if the access point
    or a licence file is missing or unreadable; the message says which and what to do.
    """
    look = _look(source, limit, sample, read)
    # Policy files (robots.txt, sitemaps …) that earlier runs indexed and that are not gone, and current captures.
    files = {row.url: row for run in earlier for row in run.rows if row.kind in (INSTRUMENT, GONE)}
    known = {url: row for url, row in files.items() if row.kind == INSTRUMENT}
    known |= {row.url: row for _, rows in select_current(earlier) for row in rows}
    held = {row.record for run in earlier for row in run.rows if row.kind == LICENCE}
    new = [row for row in look.rows if row.url not in known or known[row.url].record != row.record]
    gone_for_good = {row.url for row in new if find_by_address(matcher, source.name, row.url)}
    new = [row for row in new if row.url not in gone_for_good]
    here = {row.url for row in look.rows}
    gone = [] if limit is not None or sample else [mark_gone(row) for url, row in known.items() if url not in here]
    fresh = []
    for name, path, body in proofs.read_licence_files(source):
        sha256, fetched = hashlib.sha256(body).hexdigest(), local_files.format_utc(path.stat().st_mtime)
        record = capture.record_id(name, sha256)
        if record not in held:
            row = IndexRow(record, name, fetched, 200, "text/plain", sha256, "", 0, len(body), LICENCE)
            fresh.append((row, body))
    counts = {
        "found": len(look.rows),
        "new": len(new),
        "gone": len(gone),
        "torn": len(look.torn),
        "outside": sum(why == local_files.LEADS_OUT for _, why in look.left),
        "left out": len(look.left),
    }
    if gone_for_good:
        counts["withdrawn"] = len(gone_for_good)
    told = {"torn_records": list(look.torn), "not_taken": [list(one) for one in look.left], **look.sample}
    before = earlier[-1].facts.get("not_taken", []) if earlier else []
    if new or gone or fresh or before != told["not_taken"]:
        folder.mkdir(parents=True, exist_ok=True)
        rows = _archive(folder, new, fresh)
        finish(folder, [*rows, *gone], {"source": source.name, **counts, **told})
    return counts


def _look(source: Source, limit: int | None, sample: Sample | None, read: ReadArchive) -> _Found:
    match source.access:
        case Folder():
            taken, left, strata = local_files.index_files(source, source.access, limit, sample)
            return _Found(taken, (), left, _describe_sample("files", strata))
        case Warc():
            rows, torn = index_archives(source, source.access, read)
            pages = [row for row in rows if row.kind != INSTRUMENT]
            strata = draw_by_size(sample, {row.url: row.size for row in pages}) if sample else []
            drawn = {url for one in strata for url in one.chosen}
            pages = [row for row in pages if row.url in drawn] if sample else pages[:limit]
            rest = [row for row in rows if row.kind == INSTRUMENT]
            return _Found([*pages, *rest], torn, sample=_describe_sample("records", strata))
    raise SourceError(f"{source.name}: {type(source.access).__name__} is fetched over the network, not read from disk.")


def _describe_sample(units: str, strata: Sequence[Stratum]) -> dict[str, Any]:
    return describe(f"{units} at random, in strata by their size", units, strata) if strata else {}


def _archive(folder: Path, rows: list[IndexRow], licences: list[tuple[IndexRow, bytes]]) -> list[IndexRow]:
    """Write the run's own WARC: licence files with their bytes, other files by path and digest."""
    written: list[IndexRow] = []
    with FreshArchive(folder / f"{_FILES}.open") as archive:
        for row, body in licences:
            raw = capture.warc_record(row.url, row.fetched, 200, (("Content-Type", row.media),), body)
            written.append(replace(row, path=_FILES, offset=archive.add(raw)))
        for row in rows:
            if row.kind == "file":
                archive.add(capture.file_record(row.url, row.fetched, row.path, row.size, row.payload_sha256))
        archive.close(folder / _FILES)
    return written + rows


def finish_crawl(source: Source, folder: Path, earlier: Sequence[Run]) -> dict[str, int]:
    """Index the archive of the crawler in `folder` and finish the run; return its counts.

    Raises SourceError if a licence claim has no proof, or a list lost its entries; the run then stays unfinished.
    """
    stats_file = folder / STATS
    stats = json.loads(stats_file.read_text(encoding="utf-8"))
    archive = folder / PAGES  # empty for an unchanged local dump, for which nothing else is archived
    rows, torn = capture.index(archive, PAGES) if archive.stat().st_size else ([], [])
    lost = max(len(torn), stats.get("records", 0) - len(rows))  # archived, but unreadable
    try:
        proved = proofs.prove_claims(source, rows, folder, earlier, stats)
    except SourceError as error:
        _mark_failed(stats_file, stats, error)
        raise SourceError(f"{error} The next collect fetches this page again and keeps the other pages.") from error
    rows = [mark_non_page(row, folder, stats) for row in proved]
    gone = _find_gone(rows, folder, earlier, stats)
    question = hashlib.sha256(repr(source.access).encode()).hexdigest()  # of another question the list is another
    try:
        unnamed = set(stats.get("gone", ()))
        _check_list(source, question, stats, earlier, sum(row.url not in unnamed for row in gone))
    except SourceError as error:
        _mark_failed(stats_file, stats | {ASK_AGAIN: True}, error)
        raise
    facts = stats | {"source": source.name, "lost": lost, "question": question}
    facts |= {"torn_records": [replace(one, path=PAGES).describe() for one in torn]}
    finish(folder, [*rows, *gone], facts)
    return {
        "new": sum(row.status == 200 and row.kind in ITEMS for row in rows),
        "gone": len(gone),
        "blocked": stats["blocked"],
        "failed": len(stats["failed"]),
        "torn": lost,
        "cut off": stats.get("left_out", {}).get("max-pages", 0),
    }


def _mark_failed(stats_file: Path, stats: Mapping[str, Any], error: SourceError) -> None:
    """Mark the run as failed: the crawler would find it finished, and never ask again."""
    replace_file(stats_file, json.dumps({**stats, "finished": "failed", "error": str(error)}, ensure_ascii=False))


def _check_list(source: Source, question: str, stats: Mapping[str, Any], earlier: Sequence[Run], visited: int) -> None:
    """Raise SourceError if the lists of this run name far fewer entries than those of the last whole run did.

    An interface that is out of order answers an empty list with status 200. `visited` entries were asked, and answered
    that they are gone. A feed is a window, so only an empty one counts.
    """
    known = [run.facts for run in earlier if run.facts.get("question") == question and "listed" in run.facts]
    if not known or "listed" not in stats or source.expect.at_least <= 0:
        return
    before, now = known[-1]["listed"], stats["listed"]
    lost = before - now - visited
    is_cut = lost > max(FEW, MAX_LOSS * before) and not isinstance(source.access, Feed)
    if is_cut or (lost > 0 and not now):
        what = {Dump: "dump", Git: "commit"}.get(type(source.access), "list")
        raise SourceError(
            f"{source.name}: its {what} has {now:,} entries, and had {before:,} before, so no entry counts as gone. "
            "Look at the answers and collect again; if the loss is real, write expect=Expect(at_least=0) into the "
            "source file for one collection."
        )


def describe_findings(definition: Definition, folder: Path, counts: Mapping[str, int]) -> Iterator[str]:
    """Yield what the operator must know of the crawl in `folder`, each with the next step."""
    stats = json.loads((folder / STATS).read_text(encoding="utf-8"))
    if left := counts["cut off"]:
        urls = [row.url for row in read_run(folder).rows if row.kind in ITEMS and row.status == 200]
        yield (
            f"the collection ended at max_pages of its access point, with addresses left ({left:,}). "
            f"{_advise_on_bound(definition.source.access, urls)}"
        )
    failed = Counter(stats.get("failed_by", {})) + Counter(stats.get("blocked_by", {}))
    failed.pop("links-unread", None)  # a page that was fetched
    if failed.total() > (pages := stats.get("pages", 0)):
        from crawlers.fetch.failures import advise_on_missed  # it imports Scrapy

        first, asked = next((f"; open the first, {one['url']}" for one in stats["failed"]), ""), failed.total() + pages
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in failed.most_common())
        yield (
            f"most addresses gave no page: {failed.total():,} of {asked:,} ({reasons}){first}. "
            f"{advise_on_missed(failed)}"
        )
    for file, why in sorted(stats.get("unread_robots", {}).items()):
        yield f"nothing of its host was fetched, because {file} cannot be read ({why}). Open that address."
    if unread := [f"{one['url']}: {one['why']}" for one in stats["failed"] if one["why"].startswith("links-unread")]:
        yield (
            f"answers whose addresses could not be read: {len(unread):,}, so what they lead to may be missing. First "
            f"{unread[0]}. Look at that answer and collect again; correct follow() of the source file if it fails "
            "again."
        )
    if unknown := find_unknown(definition, folder):
        yield (
            "its answers hold fields that the source neither reads nor leaves out by name: "
            f"{', '.join(unknown)}. Look at them, then add each to the fields of the source file."
        )


def _advise_on_bound(access: AccessPoint, urls: Sequence[str]) -> str:
    """Return the step after a crawl that ended at max_pages: an endless list, such as a calendar, is denied.

    >>> _advise_on_bound(Site(("http://a.kr/",), ("http://a.kr/",)), ["http://a.kr/cal/1", "http://a.kr/cal/2"])[:63]
    '2 of 2 captures have addresses of the form http://a.kr/cal/*: i'
    """
    form, most = next(iter(Counter(map(form_of, urls)).most_common(1)), ("", 0))
    if 2 * most <= len(urls):
        return "Raise max_pages in the source file, or narrow its scope, and collect again."
    prefix = form.partition("*")[0].partition("?")[0]
    is_part = isinstance(access, Site) and not any(covers(prefix, one) for one in access.start)
    step = f"leave it out with deny=({prefix!r},)" if is_part else "narrow the scope or follow()"
    return (
        f"{most:,} of {len(urls):,} captures have addresses of the form {form}: if that is an endless list, such as a "
        f"calendar or a search, {step} in the source file; only if these are the pages you want, raise max_pages. Then "
        "collect again."
    )


def find_unknown(definition: Definition, folder: Path) -> tuple[str, ...]:
    """Return the fields that answers of the finished run in `folder` hold and the source does not know, sorted.

    The first LOOKED answers are read. An answer that `unknown_fields` cannot read has no fields; extraction reports it.
    """
    call, found = definition.unknown_fields, set[str]()
    if call is None or not (folder / "run.json").exists():
        return ()
    for row in [row for row in read_run(folder).rows if row.kind in ARCHIVED and row.status == 200][:LOOKED]:
        with suppress(CaptureError), input_errors(CaptureError):
            found |= set(call(capture.read(folder / row.path, row.offset, row.record)))
    return tuple(sorted(found))


def mark_non_page(row: IndexRow, folder: Path, stats: Mapping[str, Any]) -> IndexRow:
    """Mark a row that is not a page: a policy file, a list of URLs, or an answer that gives no page."""
    if row.kind not in ("response", "revisit"):
        return row
    if row.url in stats.get("not_pages", ()) or row.record in stats.get("troubled", ()):
        return replace(row, kind=INSTRUMENT)
    return mark_policy_file(row, folder / row.path) if row.kind == "response" else row


def _find_gone(
    rows: Sequence[IndexRow], folder: Path, earlier: Sequence[Run], stats: Mapping[str, Any]
) -> list[IndexRow]:
    """Return a row for each current capture whose page this visit did not find: 404, 410, moved, or disallowed."""
    last = {row.url: row for row in sorted(rows, key=lambda row: row.offset)}
    found = {url: row.status for url, row in last.items() if row.status in (404, 410, *_MOVED)}
    found |= dict.fromkeys(stats.get("gone", ()), 404)  # of a dump or a repository, which is read completely
    blocked = folder / BLOCKED
    for line in blocked.read_text(encoding="utf-8").splitlines() if blocked.exists() else ():
        said = json.loads(line)
        if said["reason"] == "robots-disallow":
            found[said["url"]] = 403
    known = {row.url: row for _, held in select_current(earlier) for row in held}
    when = max((row.fetched for row in rows), default="")
    return [
        mark_gone(known[url], fetched=when, status=301 if status in _MOVED else status)
        for url, status in sorted(found.items())
        if url in known
    ]


def mark_gone(row: IndexRow, **visit: Any) -> IndexRow:
    """Return the note that the page or file of `row` is gone; `visit` overrides fields of the last visit."""
    return replace(row, path="", offset=0, size=0, kind=GONE, **visit)
