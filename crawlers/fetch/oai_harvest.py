"""Which requests a harvest makes, in which order, and what its lists say: records, deletions, errors, the next request.

Identify, ListMetadataFormats, ListSets if the source names sets, then one list for each selection (a set, a range of
days). Lists come before files, because resumption tokens expire. Everything depends on archived answers and not on the
clock, so that a resumed run makes the same requests.

- A list whose token has expired is requested again from its beginning; records that are archived already are not
  archived again. If that happens MAX_RESTARTS times, or the repository cuts lists off (`cap`), the list is split into
  two ranges of days.
- A list that cannot be read to its end is continued as ListIdentifiers, and the records that are missing are requested
  one by one.
- `from` of an incremental run is the day on which the last complete harvest began, on the clock of the repository; a
  day is listed twice rather than missed. A repository that does not keep deletions is listed as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from crawlers import withdrawn
from crawlers.fetch.crawl_state import CrawlContext, CrawlState
from crawlers.fetch.failures import Blocked, TokenExpired
from crawlers.fetch.frontier import hash_address
from crawlers.formats.unreadable import Unreadable
from crawlers.oai import protocol, records
from crawlers.oai.protocol import Answer, Record
from malmoi.archive.capture import Capture
from malmoi.errors import SourceError
from malmoi.source import OaiPmh

FACTS = "oai"  # key in the stats of a run
MAX_RESTARTS = 2  # of one list, before it is split
MAX_EMPTY = 20  # answers of one list in a row without a record that is new to it: its tokens lead nowhere
FULL_EVERY = 30  # days after which a repository that keeps deletions only for a time is listed as a whole
NO_PROGRESS = "list-without-progress"
TOKEN_EXPIRED = "resumption-token-expired"
_HEADERS = (("Content-Type", "text/xml; charset=utf-8"),)


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice that one list makes: a set and a range of days, both ends inclusive, "" = no bound."""

    set: str = ""
    first: str = ""
    last: str = ""
    by_identifier: bool = False


@dataclass(slots=True)
class _List:
    """The progress of one list."""

    selection: Selection
    start: str  # its first request
    restarts: int = 0
    visited: set[str] = field(default_factory=set)  # requests since the last restart
    known: set[int] = field(default_factory=set)  # records since the last restart
    empty: int = 0  # answers in a row without a new record
    size: int | None = None  # records of the whole list, as the repository states
    deleted: int = 0  # records since the last restart


@dataclass(frozen=True, slots=True)
class ListSize:
    """The length of a list that was not read to its end."""

    listed: int  # records that were read
    size: int | None  # records of the whole list, as the repository states; None if it does not
    live: float  # share of the records read that are not deleted; 1 if none was read


@dataclass(frozen=True, slots=True)
class Next:
    """Requests to make, before those that wait: `again` asks the network even if the archive has an answer."""

    lists: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    again: bool = False


class Harvest:
    """The state of one harvest."""

    def __init__(self, context: CrawlContext, state: CrawlState, facts: Sequence[Mapping[str, Any]]) -> None:
        """Begin a harvest; `facts` are those of the earlier runs, oldest first."""
        assert isinstance(context.access, OaiPmh)
        # A sample is drawn from identifiers (crawlers/fetch/oai_spider.py).
        by_identifier = context.access.by_identifier or context.job.sample is not None
        self.access: OaiPmh = replace(context.access, by_identifier=by_identifier)
        self.context, self.state = context, state
        self.before = [one[FACTS] for one in facts if FACTS in one]
        self._last: Mapping[str, Any] = {}
        self.prefix = ""
        self.began = ""  # responseDate of Identify, UTC
        self.has_seconds = False  # granularity of datestamps: a day in a request may then mean its midnight
        self.earliest = ""  # day
        self.is_whole = True  # whether this run lists all records of the source
        self.since = ""
        self.complete = True  # until a list cannot be read to its end
        self.sees_all = True  # until a record is so damaged that it has no identifier
        self.listed: set[int] = set()  # hashes of the addresses of live records
        self.deleted: set[str] = set()  # addresses of deleted records
        self.sets: set[str] = set()
        self._lists: dict[str, _List] = {}  # request → its list
        self._set_lists: set[str] = set()  # requests of further answers to ListSets

    def first(self) -> str:
        """Return the first request."""
        return protocol.request_url(self.access.url, "Identify")

    def record_url(self, identifier: str) -> str:
        """Return the address of a record: its GetRecord request."""
        return protocol.request_url(
            self.access.url, "GetRecord", identifier=identifier, metadataPrefix=self.prefix or self.access.formats[0]
        )

    def read(self, asked: str, capture: Capture) -> Next:
        """Return what follows from the answer to the request `asked`.

        Raises SourceError for an answer of another kind, and for an error of the protocol that repeats.
        """
        verb = protocol.arguments_of(asked).get("verb", "")
        try:  # archive_records has written lists in UTF-8
            answer = protocol.parse(capture.body, "" if verb == "ListRecords" else capture.charset)
        except Unreadable as said:
            if verb in protocol.LISTS:
                return self.give_up(asked, f"unreadable: {said.reason}")
            raise SourceError(
                f"{self.context.name}: the answer of {asked} is not OAI-PMH ({said.reason}); check url of its OaiPmh "
                "and open that address in a browser"
            ) from said
        if verb in protocol.LISTS:
            return self._read_list(asked, answer)
        self._stop_on_errors(asked, answer.errors)
        if verb == "Identify":
            return self._identify(answer)
        if verb == "ListMetadataFormats":
            return self._choose_format(answer)
        return self._read_sets(answer)

    def give_up(self, asked: str, why: str) -> Next:
        """Return what replaces a list that cannot be continued after `asked`; note the loss if nothing can."""
        one = self._lists[asked]
        if why == TOKEN_EXPIRED and one.restarts < MAX_RESTARTS:
            return self._restart(one)
        if why == TOKEN_EXPIRED and (halves := self._split(one.selection)):
            return Next(tuple(self._open(half) for half in halves))
        if not one.selection.by_identifier and why != TOKEN_EXPIRED:
            return Next((self._open(replace(one.selection, by_identifier=True)),))
        return self._lose(asked, why)

    def has_error(self, capture: Capture) -> bool:
        """Whether an answer is an error of the protocol."""
        try:
            return bool(protocol.parse(capture.body, capture.charset).errors)
        except Unreadable:
            return False

    def is_list(self, asked: str) -> bool:
        """Whether a request belongs to a list of records."""
        return asked in self._lists

    def measure(self, asked: str) -> ListSize:
        """Return the length of the list whose next request is `asked`."""
        one = self._lists.get(asked) or _List(Selection(), asked)
        listed = len(one.known)
        return ListSize(listed, one.size, 1 - one.deleted / listed if listed else 1.0)

    def facts(self) -> dict[str, Any]:
        """Return what the next run must know; {} if this one is not complete."""
        if not self.complete or not self.began:
            return {}
        full = self.began if self.is_whole else self._last["full"]
        return self._describe_choice() | {"harvested": self.began, "full": full}

    @property
    def _lists_all(self) -> bool:
        return self.is_whole and self.complete and self.sees_all

    def count_listed(self) -> int | None:
        """Return how many records the lists name, deleted ones included; None if they do not name all."""
        return len(self.listed) + len(self.deleted) if self._lists_all else None

    def find_gone(self, known: Iterator[str]) -> Iterator[str]:
        """Yield those of `known`, addresses of records of earlier runs, that the repository no longer has."""
        for url in known:
            if url in self.deleted or (self._lists_all and hash_address(url) not in self.listed):
                yield url

    def _describe_choice(self) -> dict[str, Any]:
        access = self.access
        return {
            "url": access.url,
            "format": self.prefix,
            "sets": list(access.sets),
            "start": access.start,
            "end": access.end,
        }

    def _stop_on_errors(self, asked: str, errors: Sequence[tuple[str, str]]) -> None:
        for code, message in errors:
            if advice := protocol.ERRORS.get(code, "look the code up in the protocol, section 3.6"):
                said = f" ({message[:200]})" if message else ""
                raise SourceError(f"{self.context.name}: the repository answers {code}{said} to {asked}; {advice}")

    def _identify(self, answer: Answer) -> Next:
        root, name = answer.root, self.context.name
        version = protocol.field(root, "protocolVersion")
        if version != "2.0":
            raise SourceError(
                f"{name}: {self.access.url} answers Identify with the protocol version {version!r}; only "
                "OAI-PMH 2.0 is read. Check url of its OaiPmh"
            )
        self.began, self.earliest = answer.date, _day(protocol.field(root, "earliestDatestamp"))
        self.has_seconds = protocol.field(root, "granularity").endswith("ssZ")
        keeps = protocol.field(root, "deletedRecord")
        # The last harvest that selected the same records; the format is compared once it is known.
        choice = {key: value for key, value in self._describe_choice().items() if key != "format"}
        last = next(
            (one for one in reversed(self.before) if all(one.get(key) == value for key, value in choice.items())), None
        )
        if last and self.began and keeps != "no" and (keeps == "persistent" or not self._is_old(last["full"])):
            self._last, self.since, self.is_whole = last, _day(last["harvested"]), False
        return Next((protocol.request_url(self.access.url, "ListMetadataFormats"),))

    def _is_old(self, full: str) -> bool:
        last, today = _parse_day(full), _parse_day(self.began)
        return last is None or today is None or today - last > timedelta(days=FULL_EVERY)

    def _choose_format(self, answer: Answer) -> Next:
        offered = protocol.fields(answer.root, "metadataPrefix")
        self.prefix = next((one for one in self.access.formats if one in offered), "")
        if not self.prefix:
            raise SourceError(
                f"{self.context.name}: the repository offers the formats {', '.join(sorted(offered)) or 'none'}, "
                f"and not {' or '.join(self.access.formats)}; correct formats of its OaiPmh"
            )
        if not self.is_whole and self._last["format"] != self.prefix:
            self.since, self.is_whole = "", True  # other addresses: the records of the earlier format are gone
        if self.access.sets:
            return Next((protocol.request_url(self.access.url, "ListSets"),))
        return self._begin()

    def _read_sets(self, answer: Answer) -> Next:
        self.sets |= set(protocol.fields(answer.root, "setSpec"))
        if answer.token:
            url = protocol.request_url(self.access.url, "ListSets", resumptionToken=answer.token)
            if url not in self._set_lists:
                self._set_lists.add(url)
                return Next((url,))
        # A set that is listed as a:b:c may also be named by its ancestors (section 2.6).
        missing = [one for one in self.access.sets if not any(s == one or s.startswith(f"{one}:") for s in self.sets)]
        if missing:
            some = ", ".join(sorted(self.sets)[:10]) or "none"
            raise SourceError(
                f"{self.context.name}: the repository has no set {missing[0]!r}; correct sets of its OaiPmh, "
                f"it has {len(self.sets)}, such as {some}"
            )
        return self._begin()

    def _begin(self) -> Next:
        """Open the lists of the harvest."""
        first = max(self.access.start, self.since)
        every = Selection("", first, self.access.end, self.access.by_identifier)
        return Next(tuple(self._open(replace(every, set=one)) for one in self.access.sets or ("",)))

    def _open(self, selection: Selection) -> str:
        verb = "ListIdentifiers" if selection.by_identifier else "ListRecords"
        first, last = selection.first, selection.last
        if self.has_seconds:
            first, last = first and f"{first}T00:00:00Z", last and f"{last}T23:59:59Z"
        url = protocol.request_url(
            self.access.url, verb, metadataPrefix=self.prefix, set=selection.set, from_=first, until=last
        )
        one = self._lists.setdefault(url, _List(selection, url))
        one.visited.add(url)
        return url

    def _restart(self, one: _List) -> Next:
        one.restarts += 1
        one.visited.clear()
        one.known.clear()
        one.deleted = 0
        return Next((self._open(one.selection),), again=True)

    def _read_list(self, asked: str, answer: Answer) -> Next:
        one = self._lists[asked]
        if any(code == "badResumptionToken" for code, _ in answer.errors):
            return self.give_up(asked, TOKEN_EXPIRED)
        self._stop_on_errors(asked, answer.errors)
        one.size = one.size if answer.size is None else answer.size
        missing = self._note_records(one, answer)
        if answer.root is None and answer.token is None:
            further = self.give_up(asked, "list-incomplete: not well-formed")
            return replace(further, records=(*missing, *further.records))
        if answer.token:
            return self._continue(asked, one, answer.token, missing)
        if self.access.cap and len(one.known) >= self.access.cap and answer.token is None:
            if halves := self._split(one.selection):
                return Next(tuple(self._open(half) for half in halves), missing)
            lost = self._lose(asked, f"list-incomplete: cut off at {len(one.known)} records of one day")
            return replace(lost, records=missing)
        return Next((), missing)

    def _continue(self, asked: str, one: _List, token: str, missing: tuple[str, ...]) -> Next:
        verb = protocol.arguments_of(asked)["verb"]
        url = protocol.request_url(self.access.url, verb, resumptionToken=token)
        if url in one.visited or one.empty >= MAX_EMPTY:
            return replace(self._lose(asked, NO_PROGRESS), records=missing)
        one.visited.add(url)
        self._lists[url] = one
        if asked != one.start:
            del self._lists[asked]  # a list may have a hundred thousand answers
        return Next((url,), missing)

    def _note_records(self, one: _List, answer: Answer) -> tuple[str, ...]:
        """Note the records of an answer; return the addresses of those that must be requested one by one."""
        size, live, missing = len(one.known), len(self.listed), list[str]()
        for record in answer.records:
            url = self.record_url(record.identifier)
            one.known.add(hash_address(url))
            if record.deleted:
                one.deleted += 1
                self.deleted.add(url)
                self.listed.discard(hash_address(url))
                continue
            self.deleted.discard(url)
            self.listed.add(hash_address(url))
            if one.selection.by_identifier and not self.is_withdrawn(url, record):
                missing.append(url)
        for identifier in answer.damaged:
            if identifier:  # alone it may be readable
                missing.append(self.record_url(identifier))
                self.listed.add(hash_address(missing[-1]))
            else:
                self.sees_all = False
                self.state.fail(f"{one.start}#damaged", "record-damaged: without a readable identifier")
        one.empty = one.empty + 1 if len(one.known) == size else 0
        if not one.selection.by_identifier:  # the others are counted when they are requested
            self.state.records += len(self.listed) - live
        return tuple(missing)

    def is_withdrawn(self, url: str, record: Record) -> bool:
        """Whether a record was withdrawn, by its address, its id, or a value in it."""
        matcher = self.context.matcher
        if not matcher:
            return False
        if self.context.is_withdrawn(url) or matcher.find_by_id(f"{self.context.name}/{record.identifier}") is not None:
            return True
        read = records.read_record(record.body) if record.body else None
        if read is None:
            return False
        page = records.describe(read).url
        return (bool(page) and self.context.is_withdrawn(page)) or (
            matcher.find_value(record.body.decode("utf-8", "replace")) is not None
        )

    def archive_records(self, asked: str, fetched: str, body: bytes, charset: str) -> bytes:
        """Archive each record of an answer on its own, and return the answer with their headers in their place.

        The answer to GetRecord becomes its record, so that it is the same bytes whichever way it was listed. Raises
        TokenExpired, and Blocked for a record that was withdrawn.
        """
        verb = protocol.arguments_of(asked).get("verb")
        if verb not in ("ListRecords", "ListIdentifiers", "GetRecord"):
            return body
        try:
            answer = protocol.parse(body, charset)
        except Unreadable:
            return body
        if any(code == "badResumptionToken" for code, _ in answer.errors):
            raise TokenExpired
        if verb == "ListIdentifiers":
            return body
        for record in answer.records:
            url = self.record_url(record.identifier)
            if self.is_withdrawn(url, record):
                if verb == "GetRecord":
                    raise Blocked(withdrawn.REASON)
                self.state.left_out[withdrawn.REASON] += 1
            elif record.body and verb == "GetRecord":
                return record.body
            elif record.body:
                self._archive(url, fetched, record.body)
            elif not record.deleted:
                self.state.left_out["record-without-metadata"] += 1
        return answer.reduced if verb == "ListRecords" else body

    def _archive(self, url: str, fetched: str, body: bytes) -> None:
        archive = self.context.archive
        held = archive.here.get(url)
        kept = archive.resolve(held) if held is not None else None
        if kept is None or kept.digest != hashlib.sha256(body).hexdigest():
            archive.add(url, fetched, 200, (*_HEADERS, ("Content-Length", str(len(body)))), body)

    def _split(self, selection: Selection) -> tuple[Selection, Selection] | None:
        """Return the two halves of a selection; None if it is one day, or the repository names no days."""
        first, last = _parse_day(selection.first or self.earliest), _parse_day(selection.last or self.began)
        if first is None or last is None or first >= last:
            return None
        middle = first + (last - first) // 2
        upper = replace(selection, first=(middle + timedelta(days=1)).isoformat())
        return replace(selection, last=middle.isoformat()), upper

    def _lose(self, asked: str, why: str) -> Next:
        self.complete = False
        self.state.fail(asked, why)
        return Next()


def _day(stamp: str) -> str:
    return stamp[:10] if _parse_day(stamp) else ""


def _parse_day(stamp: str) -> date | None:
    try:
        return date.fromisoformat(stamp[:10])
    except ValueError:
        return None
