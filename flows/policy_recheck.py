"""Ask the hosts of a release again for their policy files, and list the documents that have been reserved since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from crawlers import catalogue
from crawlers.fetch import politeness
from crawlers.fetch.job import guard_of, is_loopback
from crawlers.fetch.policy_recheck import FILES, MAX_TERMS, PolicyRecheck
from crawlers.fetch.streaming_client import Answer, Net
from crawlers.rights import policy_files
from crawlers.web.addresses import canonical_url, origin
from crawlers.web.ssrf_guard import Guard
from flows.console import SafeConsole, ask
from flows.plurals import count_of
from malmoi.archive import capture, collection
from malmoi.errors import CallError, DataError, HostError
from malmoi.releases import manifest
from malmoi.source import Manners
from malmoi.storage.duckdb_tables import open_tables
from malmoi.workspace import Workspace
from malmoi.workspace_layout import PAGES

_ASKED = "('Site', 'Sitemap', 'Feed', 'Api', 'OaiPmh', 'Warc', 'CommonCrawl')"  # accesses whose documents have a host
_LOUD = ("opt-out", "inferred-opt-out")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of a release that can be asked, by source, and how many documents have none."""

    release: Path
    sites: Mapping[str, tuple[str, ...]]  # source → origins
    without: int  # documents of folders, dumps and repositories

    @property
    def requests(self) -> int:
        """Return the number of requests, without redirects, retries and documents of RSL."""
        return len(FILES) * sum(len(found) for found in self.sites.values())


@dataclass(frozen=True, slots=True)
class Asked:
    """One policy file that was asked for."""

    source: str
    url: str
    why: str  # "" if the host answered; else what kept it: refused, timeout, robots-disallow, status-503 …


@dataclass(frozen=True, slots=True)
class Reserved:
    """One statement against the use of a document, made since it was published."""

    id: str
    source: str
    url: str
    protocol: str
    effect: str  # opt-out, inferred-opt-out
    quote: str
    place: str
    record: str


@dataclass(frozen=True, slots=True)
class Recheck:
    """The answers of the hosts of a release, and the new reservations in them."""

    folder: Path  # the archived answers
    asked: tuple[Asked, ...]
    reserved: tuple[Reserved, ...]

    def to_values(self) -> dict[str, object]:
        """Return the result as JSON values."""
        return {
            "evidence": str(self.folder),
            "asked": [asdict(one) for one in self.asked],
            "reserved": [asdict(one) for one in self.reserved],
        }


def find_hosts(release: Path) -> Hosts:
    """Return the hosts of the documents of a release. CallError if it has none that can be asked."""
    with open_tables(release) as tables:
        rows = tables.ask(
            f"SELECT DISTINCT d.source, regexp_extract(url, '^https?://[^/?#]+', 0) FROM data d JOIN sources s"
            f" ON s.name = d.source WHERE s.access IN {_ASKED} AND regexp_matches(url, '^https?://') ORDER BY ALL"
        ).rows
        (without,) = tables.ask(
            f"SELECT (SELECT count(*) FROM data) - count(*) FROM data d JOIN sources s ON s.name = d.source"
            f" WHERE s.access IN {_ASKED} AND regexp_matches(url, '^https?://')"
        ).rows[0]
    sites: dict[str, dict[str, None]] = {}
    for source, address in rows:
        if known := canonical_url(f"{address}/"):
            sites.setdefault(str(source), {})[origin(known)] = None
    if not sites:
        raise CallError(f"{release}: no document has a host that can be asked; its sources are folders or dumps.")
    return Hosts(release, {name: tuple(found) for name, found in sites.items()}, int(without or 0))


def open_nets(hosts: Hosts, definitions: Sequence[str], *, contact: str | None) -> dict[str, Net]:
    """Return the requests of each source: its guard, its delay, the user agent with `contact`.

    `definitions` are names or files of sources that are not in the catalogue; a source that is in neither has the
    default manners, and no exception for loopback addresses. CallError if a host is asked without a contact.
    """
    given = {(one := catalogue.load(name).source).name: one for name in definitions}
    nets = {}
    for name, sites in hosts.sites.items():
        source = given.get(name) or (catalogue.load(name).source if name in catalogue.names() else None)
        guard, manners = (guard_of(source), source.manners) if source else (Guard(), Manners())
        if not contact and not all(is_loopback(site, guard) for site in sites):
            raise CallError("--contact is missing; the hosts must see whom to write to: a mail address or a page.")
        nets[name] = Net(guard, politeness.user_agent(contact), manners.delay)
    return nets


def ask_hosts(workspace: Workspace, hosts: Hosts, nets: Mapping[str, Net]) -> Recheck:
    """Ask every host, archive the answers in the workspace, and compare them with the signals of the release."""
    made = manifest.read(hosts.release)
    records: list[bytes] = []

    def keep(answer: Answer) -> None:
        when = politeness.utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
        records.append(capture.warc_record(answer.url, when, answer.status, tuple(answer.headers), answer.body))

    rechecks = {name: PolicyRecheck(net, keep) for name, net in nets.items()}
    asked = [
        Asked(name, url, why)
        for name, sites in hosts.sites.items()
        for site in sites
        for url, why in rechecks[name].ask(site)
    ]
    with workspace.lock(), workspace.temporary_folder() as folder:
        (folder / PAGES).write_bytes(b"".join(records))
        rows, _ = capture.index(folder / PAGES, PAGES) if records else ([], [])
        collection.finish(folder, rows, {"release": made.name, "version": made.version, "root": made.root})
        target = collection.open_run(workspace.rechecks(made.root))
        workspace.move_into_place(folder, target)
    answers = policy_files.read_latest([collection.read_run(target)])
    origins, reserved = {one.origin for one in answers}, []  # what the release does not have among its signals
    with open_tables(hosts.release) as tables:
        signals = "SELECT DISTINCT id, name, effect FROM signals WHERE id IN (SELECT id FROM data)"
        before = {tuple(row) for row in tables.ask(signals).rows}
        documents = tables.ask("SELECT id, source, url FROM data ORDER BY url, id").rows if origins else ()
    for id, source, address in (map(str, row) for row in documents):
        if origin(canonical_url(address) or address) not in origins:
            continue
        for signal in policy_files.find(address, answers):
            if signal.effect in _LOUD and (id, signal.name, signal.effect) not in before:
                said = (signal.name, signal.effect, signal.quote, signal.place, signal.record)
                reserved.append(Reserved(id, source, address, *said))
    return Recheck(target, tuple(asked), tuple(reserved))


def ask_consent(hosts: Hosts, out: SafeConsole) -> None:
    """Show which hosts would be asked, and how often; return if the person at the terminal agrees, else CallError."""
    for name, sites in hosts.sites.items():
        out.print(f"{name}: {', '.join(sites)}")
    terms = f"and at most {MAX_TERMS} documents that each robots.txt names"
    out.print(f"{hosts.requests} requests ({', '.join(FILES)} of each host), {terms}")
    if hosts.without:
        out.print(f"not asked: {hosts.without} documents of folders, dumps and repositories")
    if not ask("Send these requests?"):
        raise CallError("nothing was requested: answer y, or give --yes to send these requests.")


def show(found: Recheck, out: SafeConsole) -> None:
    """Print what was reserved, by source and statement, and which files got no answer."""
    for one in found.asked:
        if one.why:
            out.print(f"no answer  {one.url} ({one.why}); no opt-out by itself")
    by = Counter((one.source, one.protocol, one.effect, one.place, one.quote) for one in found.reserved)
    for (source, protocol, effect, place, quote), n in sorted(by.items()):
        what = f"{count_of(n, 'document')}, {protocol} ({effect})"
        out.print(f"reserved   {source}: {what}, {place}: {quote}")
    answered = sum(not one.why for one in found.asked)
    out.print(f"{answered} of {count_of(len(found.asked), 'file')} answered; evidence: {found.folder}")


def require_unchanged(release: Path, found: Recheck) -> None:
    """Return if nothing was reserved since. DataError says what to do, HostError that no host has answered."""
    if found.reserved:
        documents = count_of(len({one.id for one in found.reserved}), "document")
        raise DataError(
            f"{release}: {documents} reserved since. Take them out with `malmoi erase` (--id, or --url-prefix for a "
            "host), or collect and release again."
        )
    if all(one.why for one in found.asked):
        raise HostError(f"{release}: no host has answered. That reserves nothing; run again once they answer.")
