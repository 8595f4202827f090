"""The source catalogue: a table, one source in full, the denylist; and the page docs/sources.md.

`python -m flows.catalogue_page en|ko [WORKSPACE]` prints docs/sources.md or docs/sources.ko.md. The pages of the docs
are printed without a workspace, and a test compares them with the source files. With a workspace, the column of states
says when each source was probed and collected there.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from crawlers import catalogue, denylist, proofs
from crawlers.fetch.job import needs_permission
from flows.console import SafeConsole
from flows.probing.probe_records import SourceState, find_state
from flows.source_files import check_paths, licences, terms_of
from malmoi.archive import collection
from malmoi.archive.collection import Run
from malmoi.errors import CallError
from malmoi.licensing.proofs import PROOFS
from malmoi.source import Api, CommonCrawl, Dump, Feed, Folder, Git, OaiPmh, Site, Sitemap, Source, TermsCheck, Warc
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Layout

WIDE = (
    "source", "title", "publisher", "access", "key", "licence", "register", "domain", "terms check", "last run",
)  # fmt: skip
NARROW = ("source", "title · publisher", "access · key", "licence", "register · domain", "terms · last run")
RATIOS = (None, 8, 4, 6, 5, 5)  # of the width beside the name
SHOWN_RUNS = 3  # the latest


def show_table(root: Path, out: SafeConsole, *, wide: bool = False) -> None:
    """Print one row per source; the last run is the one in the workspace at `root`, if it exists.

    Without `wide` some columns share a cell, two lines per source, and a key is shown as set or not set.
    """
    rows = []
    for source in (catalogue.load(name).source for name in catalogue.names()):
        check, runs = _find_terms_check(source, root), _read_runs(source, root)
        rows.append((
            source.name, source.title, source.publisher, type(source.access).__name__, _describe_key(source),
            licences(source), source.register, source.domain, f"{check.verdict} {check.date}" if check else "open",
            _last_fetched(runs[-1]) if runs else "",
        ))  # fmt: skip
    if wide:
        widths = [max(cell_len(row[at]) for row in (WIDE, *rows)) for at in range(len(WIDE))]
        for row in (WIDE, *rows):
            line = "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True))
            out.print(line.rstrip())
    else:
        shown = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
        for number, head in enumerate(NARROW):
            shown.add_column(head, overflow="fold", no_wrap=number == 0, ratio=RATIOS[number])
        for name, title, publisher, access, key, licence, register, domain, terms, last in rows:
            keyed = f"key {key.rpartition(' (')[2].rstrip(')')}" if key else ""
            pairs = (title, publisher), (access, keyed), (licence,), (register, domain), (terms, last and f"run {last}")
            shown.add_row(Text(name), *(Text("\n".join(filter(None, pair))) for pair in pairs))
        out.print(shown, soft_wrap=False)
    out.print("\n`malmoi sources NAME` shows one in full; `malmoi sources denied` shows the denylist.")


def show_source(root: Path, name: str, out: SafeConsole) -> None:
    """Print one source in full, and what is missing in its file for the catalogue.

    If `name` is a file, CallError if a file or folder of its access point does not exist, and SourceError if a licence
    file does not, or lacks the words of its claim.
    """
    source = catalogue.load(name).source
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True, style="bold")
    facts.add_column(overflow="fold")
    for head, words in _list_facts(source, root, name):
        facts.add_row(head, Text(words))
    out.print(facts, soft_wrap=False)
    for sentence in catalogue.find_missing(source):
        out.print(f"missing: {sentence}")
    if name.endswith(".py"):
        check_paths(source)
        list(proofs.read_licence_files(source))


def _list_facts(source: Source, root: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield the rows of `show_source`: heading and text; `name` is the name or the file that was asked for."""
    yield "source", source.name
    yield "title", source.title
    yield "publisher", source.publisher
    yield from _describe_access(source)
    if key := _describe_key(source):
        yield "key", key
    yield "licence", licences(source)
    rule = source.rule
    if not rule.proofs:
        yield "proofs", "none: each document needs a review"
    yield from (("proof", f"{proof}: {PROOFS[proof].shape}") for proof in rule.proofs)
    yield from (("at", f"{css} on {prefix}…") for prefix, css in rule.selector)
    if rule.fields:
        yield "fields", ", ".join(rule.fields)
    yield from (("own boards", board) for board in rule.boards)
    if rule.author:
        yield "author", rule.author
    for claim in source.claim:
        yield "claim", f"{claim.licence}, because {claim.file or claim.url} says: {claim.quote}"
        if claim.only:
            yield "", f"only for {', '.join(claim.only)}"
    yield "register", source.register
    yield "domain", source.domain
    yield "expected", f"{source.expect.at_least:,} to {source.expect.at_most:,} captures"
    yield "politeness", f"{source.manners.delay:g} s between requests, {source.manners.concurrency} at a time"
    if source.family:
        yield "family", source.family
    yield "attribution", source.attribution
    yield "not seen yet", source.unverified
    if source.estimate:
        yield "estimate", f"{source.estimate.characters:,} characters: {source.estimate.origin}"
    yield "note", source.note
    check = _find_terms_check(source, root)
    yield (
        "terms check",
        f"{check.verdict}, says {check.reviewer} on {check.date} ({check.url})" if check else
        "not needed: nothing of another host is fetched"
        if not needs_permission(source) else
        f"open: read the terms, then `malmoi sources terms {name} --reviewer … --page … --verdict …`",
    )  # fmt: skip
    yield "state", find_state(root, source.name).describe()
    for run in reversed(_read_runs(source, root)[-SHOWN_RUNS:]):
        yield "run", f"{run.folder.name}: {_last_fetched(run)}, {len(run.rows):,} records"


def _describe_access(source: Source) -> Iterator[tuple[str, str]]:
    """Yield the facts of the access point, row by row."""
    access = source.access
    yield "access", type(access).__name__
    match access:
        case Site() | Api():
            yield from (("start", url) for url in access.start)
        case Sitemap() | Feed():
            yield from (("reads", url) for url in access.urls)
        case OaiPmh():
            yield "base URL", access.url
            yield "formats", ", ".join(access.formats)
            yield from (("set", one) for one in access.sets)
        case Git():
            yield "repository", access.url
            yield "commit", access.commit or f"head of {access.branch}"
            yield "files", ", ".join(access.include) + "".join(f", not {glob}" for glob in access.exclude)
            if access.named_by:
                yield "named by", " or ".join(access.named_by)
        case Dump():
            yield "file", access.url or str(access.path)
        case CommonCrawl():
            yield "archive", str(access.data)
            yield "index", f"{access.crawl} of {access.index or access.data}"
            yield "hosts", ", ".join(access.hosts) or "every host"
            yield "languages", ", ".join(access.languages) or "any"
            yield "at most", f"{access.max_pages:,} pages, {access.max_bytes:,} bytes"
        case Folder():
            yield "folder", str(access.path)
        case Warc():
            yield "archives", ", ".join(map(str, access.paths))
    if isinstance(access, Site | Sitemap | Feed | Api | OaiPmh):
        yield from (("within", url) for url in access.scope)
        yield from (("never", url) for url in access.deny)
    if isinstance(access, Api | Dump | OaiPmh) and access.grant:
        yield "grant", access.grant


def show_denied(word: str, out: SafeConsole) -> None:
    """Print the rows of the denylist that contain `word`, with the basis of each."""
    found = denylist.search(word)
    if not found:
        raise CallError(f"no row of the denylist contains {word!r}; `malmoi sources denied` prints all rows.")
    for row in found:
        out.print(Text(f"{row.id} · {row.title}", style="bold"), soft_wrap=False)
        for head, words in (("hosts", ", ".join(row.hosts)), ("why", row.reason), ("basis", row.basis)):
            if words:
                facts = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
                facts.add_column(width=8, no_wrap=True)
                facts.add_column(overflow="fold")
                facts.add_row(head, Text(words))
                out.print(facts, soft_wrap=False)
        if row.unless_marked:
            out.print("  Allowed if the source declares a proof of each item, such as rel-license, and no claim.")


def _describe_key(source: Source) -> str:
    """Return the environment variable of the key, and whether it is set; "" if no key is needed."""
    if not isinstance(source.access, Api) or not source.access.key:
        return ""
    return f"{source.access.key} ({'set' if os.environ.get(source.access.key) else 'not set'})"


def _find_terms_check(source: Source, root: Path) -> TermsCheck | None:
    return terms_of(Workspace(root), source) or source.terms


def _read_runs(source: Source, root: Path) -> list[Run]:
    return collection.runs(Workspace(root).captures(source.name)) if Layout(root).mark.exists() else []


def _last_fetched(run: Run) -> str:
    return max((row.fetched for row in run.rows), default="")[:10]


HERE: Final = Path(__file__).parent
RECIPES: Final = HERE / "recipes"


class Words(NamedTuple):
    """The words of the table in one language."""

    template: str
    terms: str
    key: str
    files: str
    unknown: str
    none: str
    review: tuple[str, str]
    by_item: tuple[str, str]
    never: str


LANGUAGES: Final = {
    "en": Words(
        "sources.md.txt", "terms check", "key `{}`", "the files", "not estimated", "—", ("review", "review"),
        ("by item", "by item"), "never seen",
    ),
    "ko": Words(
        "sources.ko.md.txt", "약관 확인", "키 `{}`", "파일 내려받기", "추정 없음", "—", ("review", "검토 필요"),
        ("by item", "항목별"), "본 적 없음",
    ),
}  # fmt: skip


def render(language: str, workspace: Path | None = None) -> str:
    """Render the page: the sources, what is unverified, the origins of the estimates, and the denylist.

    Raises KeyError for a language without words.
    """
    words = LANGUAGES[language]
    sources = [catalogue.load(name).source for name in catalogue.names()]
    uses: dict[str, list[str]] = {}  # name of a source → the recipes that collect it by themselves
    for path in sorted(RECIPES.glob("*.toml")):
        for name in tomllib.loads(path.read_text(encoding="utf-8")).get("sources", ()):
            uses.setdefault(name, []).append(path.stem)
    rows = []
    for source in sources:
        state = find_state(workspace, source.name) if workspace else SourceState()
        # What a person does before a collection: record a terms check, ask for a key, or download files.
        key = source.access.key if isinstance(source.access, Api) else ""
        steps = [words.terms] * needs_permission(source) + ([words.key.format(key)] if key else [])
        steps = [words.files] if isinstance(source.access, Folder | Warc) else steps or [words.none]
        cells = (
            f"`{source.name}`",
            f"{source.title} · {source.publisher}",
            type(source.access).__name__,
            licences(source).replace(*words.by_item).replace(*words.review),
            f"{source.estimate.characters / 1e6:,.0f}" if source.estimate else words.unknown,
            words.never if state == SourceState() else state.describe(),
            ", ".join(steps),
            ", ".join(uses.get(source.name, ())) or words.none,
        )
        rows.append(f"| {' | '.join(map(_escape_cell, cells))} |")
    denied = (
        f"- **{_escape_cell(entry.title)}** (`{entry.id}`): {_escape_cell(entry.reason)}"
        f"{'; allowed if the source declares a proof of each item' if entry.unless_marked else ''}. "
        f"Basis: {_escape_cell(entry.basis)}. Hosts: {' '.join(f'`{host}`' for host in entry.hosts) or 'none'}"
        for entry in denylist.DENIED
    )
    parts = {
        "catalogue": "\n".join(rows),
        "estimates": "\n".join(f"- `{s.name}`: {_escape_cell(s.estimate.origin)}" for s in sources if s.estimate),
        "unverified": "\n".join(f"- `{s.name}`: {_escape_cell(s.unverified)}" for s in sources if s.unverified),
        "denied": "\n".join(denied),
    }
    page = (HERE / words.template).read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], page)


def _escape_cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None))
