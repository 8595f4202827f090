"""Compare the answers of a probe with what the source declares: hosts, terms, claims, number of captures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crawlers import proofs
from crawlers.sampling import Stratum, read_strata
from crawlers.web.addresses import canonical_url
from flows.plurals import count_of
from flows.probing import probe_records
from flows.probing.probe_records import Check, State
from malmoi.archive import collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ITEMS
from malmoi.errors import SourceError
from malmoi.source import Api, Dump, Folder, OaiPmh, Site, Source, Warc
from malmoi.workspace import Workspace
from malmoi.workspace_layout import BLOCKED

DEAD = ("status-404", "status-410")  # failures of a link to a page that does not exist


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows and facts of a collection of a few items, also of one that ended in an error."""

    folder: Path
    rows: Sequence[IndexRow] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: SourceError | None = None

    @property
    def pages(self) -> list[IndexRow]:
        """Return the rows that may hold items."""
        return [row for row in self.rows if row.kind in ITEMS and row.status == 200]

    @property
    def strata(self) -> list[Stratum]:
        """Return the strata that the sample was drawn from; [] if the first captures were taken."""
        return read_strata(self.facts)[1]

    @property
    def is_whole(self) -> bool:
        """Whether the first captures were taken, and no others exist."""
        return not self.strata and self.error is None and self.facts.get("finished") == "finished"


def check_hosts(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Yield the checks of robots.txt and of the page that documents machine access."""
    files = {row.url: row for row in fetched.rows if row.url.endswith("/robots.txt")}
    blocked = fetched.folder / BLOCKED
    lines = [json.loads(one) for one in blocked.read_text("utf-8").splitlines()] if blocked.exists() else []
    if closed := [one for one in lines if one["reason"].startswith("robots")]:
        first = closed[0]
        says = f"{count_of(len(closed), 'address')} may not be fetched, first {first['url']} ({first['reason']})"
        state = grade_share(len(closed), len(fetched.pages))
        yield Check("robots.txt", state, f"{says}; ask the publisher, or narrow the scope")
    elif granted := fetched.facts.get("granted"):
        yield Check("robots.txt", "holds", f"forbids, and {granted} permits")
    elif files:
        yield Check("robots.txt", *_describe_robots(files))
    yield from _check_redirects(lines, fetched)
    if isinstance(source.access, Api | Dump | OaiPmh) and source.access.grant:
        url = canonical_url(source.access.grant)
        status = {row.url: row.status for row in fetched.rows}.get(url)
        if status is None:
            yield Check("grant", "unknown", f"{url} was not asked for")
        else:
            yield Check("grant", "holds" if status == 200 else "differs", f"{url} answers {status}")


def grade_share(bad: int, good: int) -> State:
    """Return the state if `bad` addresses gave nothing and `good` ones did: a few dead links are on any site.

    >>> grade_share(1, 9), grade_share(5, 5)
    ('partly', 'differs')
    """
    return "differs" if bad >= good else "partly"


def _check_redirects(blocked: Sequence[Mapping[str, str]], fetched: Fetched) -> Iterator[Check]:
    """Yield the check of redirects, if some lead out of the source, or several to one page."""
    ends = Counter(url for one in fetched.strata for url in one.chosen).most_common(1)
    if strays := [one for one in blocked if one["reason"].startswith(("redirect", "guard"))]:
        says = f"{count_of(len(strays), 'address')} led to a place that is not fetched, first {strays[0]['url']}"
        state = grade_share(len(strays), len(fetched.pages))
        yield Check("redirects", state, f"{says} ({strays[0]['reason']}); correct the addresses or the scope")
    elif ends and ends[0][1] > 1:
        says = f"{count_of(ends[0][1], 'address')} led to one page, {ends[0][0]}"
        yield Check("redirects", "differs", f"{says}: a wall, or a page in place of those that are gone")


def _describe_robots(files: Mapping[str, IndexRow]) -> tuple[State, str]:
    """Return state and words of robots.txt that allows; a page of HTML in its place has no rules."""
    pages = sorted(url for url, row in files.items() if row.status == 200 and "html" in row.media)
    if pages:
        return "partly", f"{pages[0]} answers 200 with a page of HTML, which has no rules; look at it"
    statuses = ", ".join(f"{url} {row.status}" for url, row in sorted(files.items()))
    return "holds", f"allows what was asked ({statuses})"


def find_terms(workspace: Workspace, source: Source, check: str) -> str:
    """Return the sha256 of the page of the terms that a probe or collection under this terms check has seen; or ""."""
    last = probe_records.read_last(workspace, source.name)
    if last is not None and last.check:
        return last.terms if last.check == check else ""
    runs = (run.facts.get("terms") or {} for run in reversed(collection.runs(workspace.captures(source.name))))
    return next((one["sha256"] for one in runs if one.get("sha256")), "") if last is None or last.terms else ""


def check_terms(source: Source, said: Mapping[str, Any], before: str) -> Iterator[Check]:
    """Yield the check of the page of the terms: it is the page that a person has read, as far as that was seen.

    A page that has changed differs until a person has recorded a check of it.
    """
    if not said:
        return
    url, now = said.get("url", ""), said.get("sha256", "")
    if not now:
        says = f"{url} answers {said.get('status')}; look for the page, and record its address"
        yield Check("terms", "differs", says)
    elif before and before != now:
        says = f"{url} has changed since it was seen last; read it, then `malmoi sources terms {source.name} …`"
        yield Check("terms", "differs", says)
    else:
        yield Check("terms", "holds", f"{url} {'is unchanged' if before else 'was seen for the first time'}")


def check_claims(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Yield a check for each claim: its page or file is there and holds the quoted words."""
    for claim in source.claim:
        where = claim.file or claim.url
        if fetched.error is not None and not fetched.rows and proofs.find_base(source) is None:
            yield Check("claim", "unknown", f"{claim.licence}: the collection ended before {where} could be compared")
            continue
        try:
            if fetched.error is not None:  # else the collection has proved all of them
                _prove(replace(source, claim=(claim,)), fetched)
        except SourceError as error:
            yield Check("claim", "differs", str(error))
        else:
            yield Check("claim", "holds", f"{claim.licence}: {where} holds the quoted words")


def _prove(source: Source, fetched: Fetched) -> None:
    if proofs.find_base(source) is not None:
        list(proofs.read_licence_files(source))
    else:
        proofs.prove_claims(source, fetched.rows, fetched.folder, (), {"failed": [], **fetched.facts})


def check_fetched(source: Source, fetched: Fetched, is_claim: bool) -> Iterator[Check]:
    """Yield the checks of the answers as such, and of the number of captures.

    With `is_claim` a claim has lost its proof, which has a check of its own: a collection ends in that error as well.
    """
    failed = list(fetched.facts.get("failed", ()))
    torn = fetched.facts.get("torn_records", ())
    media = sorted({row.media.partition(";")[0] for row in fetched.pages})
    if fetched.error is not None and is_claim and not fetched.pages and proofs.find_base(source) is not None:
        return  # the claim was checked first, and nothing was read
    if fetched.error is not None and not (is_claim and fetched.pages):
        yield Check("answers", "failed", str(fetched.error))
    elif failed:
        first, asked = failed[0], len(failed) + len(fetched.pages)
        says = f"{len(failed):,} of {count_of(asked, 'address')} failed, first {first['url']}: {first['why']}"
        is_dead = all(one["why"] in DEAD for one in failed)  # a list that could not be read hides what it names
        yield Check("answers", grade_share(len(failed), len(fetched.pages)) if is_dead else "differs", says)
    elif torn:
        yield Check("answers", "differs", f"{count_of(len(torn), 'record')} cannot be read, first {torn[0]}")
    elif not fetched.pages:
        yield Check("answers", "differs", f"none holds an item{_describe_left(fetched)}; {_explain_none(source)}")
    else:
        yield Check("answers", "holds", f"{len(fetched.pages):,}, of {', '.join(media) or 'no type'}")
    if fetched.error is None or is_claim:
        yield from _check_count(source, fetched)


def _describe_left(fetched: Fetched) -> str:
    left: Mapping[str, int] = fetched.facts.get("left_out", {})
    return "".join(f", {count:,} {reason}" for reason, count in left.items() if count)


def _explain_none(source: Source) -> str:
    if isinstance(source.access, Folder | Warc | Dump):
        return "look at the files"
    return "compare the question of the source (addresses, hosts, sets, languages) with what its access point offers"


def _check_count(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Compare the number of captures, as far as the lists are read, with the bounds of the source."""
    low, high = source.expect.at_least, source.expect.at_most
    bounds = f"the source expects {low:,} to {high:,}"
    kinds = {one.counted for one in fetched.strata}
    units = sum(one.units for one in fetched.strata) if kinds else len(fetched.pages)
    if isinstance(source.access, Site) and kinds == {"counted"} and units <= len(source.access.start) < high:
        says = f"{units:,.0f}: follow() finds no address inside the scope on the start page{_describe_left(fetched)}"
        says += f"; correct the patterns of follow(), or the scope; {bounds}"
        yield Check("count", "differs", says)
    elif (kinds and "at least" not in kinds) or fetched.is_whole:
        state: State = "holds" if low <= units <= high else "differs"
        about = "about " if "estimated" in kinds else ""
        yield Check("count", state, f"{about}{units:,.0f}{_describe_left(fetched)}; {bounds}")
    elif kinds:
        yield Check("count", "differs" if units > high else "unknown", f"at least {units:,.0f}; {bounds}")
    elif fetched.pages:
        yield Check("count", "unknown", "only the first captures were read; `malmoi sources forecast` counts them")
