"""Extract documents from one capture: text, provenance, evidence and signals, by the source's own functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from crawlers import catalogue, host_templates, revisions, source_errors, withdrawn
from crawlers.formats import ParsedItem, sniffing
from crawlers.formats.html.host_template import Template
from crawlers.formats.parsed import clean_line, valid_day
from crawlers.formats.registry import FAMILIES, FORMATS, HTML
from crawlers.rights import VERSION as RIGHTS_VERSION
from crawlers.rights import policy_files, rules_digest
from crawlers.rights.policy_files import Instrument
from crawlers.source_errors import Fault, catch_faults, read_items
from malmoi.apply import Dropped, Kept, Outcome
from malmoi.archive import capture as captures
from malmoi.archive.capture import Capture, IndexRow
from malmoi.archive.collection import Past
from malmoi.boundary import input_errors
from malmoi.document import Document, LicenceEvidence, Provenance, Signal, Verdict
from malmoi.errors import CaptureError
from malmoi.ledger import Failure
from malmoi.licensing.licences import table_digest
from malmoi.licensing.rights_decision import RULES_VERSION, decide
from malmoi.processes.workers import renew
from malmoi.source import Api, Dump, Extracted, Item, Source

VERSION = 17  # raise it when captures yield other items or documents, whatever their format
# Distributions whose version affects the text, the date or the rights of every format, or the rules of a host;
# those of one family of formats are listed in its row (crawlers/formats/registry.py).
LIBRARIES = ("lxml", "faust-cchardet", "markdown-it-py", "PyYAML", "FastWARC", "Protego", "w3lib")
ANY = "*"  # instead of a family: the readers that decided are unknown
MEMORY = "memory-limit"  # the whole capture is failed, and its worker starts anew
UNREAD = "unread:"  # before the name of a format without a reader
MAX_FILE = 256 * 1024 * 1024  # bytes of a file that stays in its place; larger files are films, disk images …
MAX_TEXT = 5_000_000  # code points of one document; no person reads longer texts


@dataclass(frozen=True, slots=True)
class Extraction:
    """The input of a worker that extracts the captures of one shard."""

    definition: str  # name or path of the source file
    archived: tuple[tuple[str, str], ...]  # licence file or page → id of its record
    instruments: tuple[Instrument, ...] = ()  # robots.txt, ai.txt, tdmrep.json of the hosts of the shard
    past: tuple[tuple[str, Past], ...] = ()  # URL → what other visits have found there
    templates: tuple[Template, ...] = ()  # of the hosts of the shard that have one
    tombstones: tuple[str, str] | None = None  # the file of tombstones of the workspace, and the key of values


Said = TypeVar("Said", LicenceEvidence, Signal)
Extractor: TypeAlias = Callable[[IndexRow], list[Outcome | Failure]]
version = cache(metadata.version)  # 1 ms each: it parses the metadata of the package


def versions() -> list[object]:
    """Return the versions that affect every extraction: code, rights, format detection, libraries, licences."""
    libraries = [(name, version(name)) for name in LIBRARIES]
    rights = [
        RIGHTS_VERSION,
        rules_digest(),
        RULES_VERSION,
        table_digest(),
    ]  # a note about an earlier visit names a decision
    return [VERSION, *rights, sniffing.VERSION, sniffing.TABLES_DIGEST, libraries]


def reader_versions(learned: Iterable[str] = ()) -> dict[str, str]:
    """Return family of formats → version of its readers and their libraries; `learned`: digests of host templates.

    `readers_of` says which of them decided a document. A name that is not here has the version "".
    """
    found = {one.name: " ".join((str(one.version), *_read_versions(one.libraries))) for one in FAMILIES}
    found[HTML.name] = " ".join((found[HTML.name], *learned))
    found |= {f"{UNREAD}{kind}": "read" for kind in FORMATS}
    return found | {ANY: hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:16]}


def _read_versions(libraries: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name} {version(name)}" for name in libraries)


def readers_of(outcomes: Iterable[Outcome | Failure]) -> tuple[str, ...]:
    """Return the families whose readers decided the outcomes of one capture; ANY if that is unknown.

    It is unknown for a capture without documents, and for a text made by the `text` of a source in a format without
    a reader. A format without a reader is named, so that its captures are extracted again once a reader exists.
    """
    found = set(map(_reader_of, outcomes)) or {ANY}
    return (ANY,) if ANY in found else tuple(sorted(found))


def _reader_of(outcome: Outcome | Failure) -> str:
    if isinstance(outcome, Failure):
        return ANY
    kind = outcome.document.provenance.format
    if kind in FORMATS:
        return FORMATS[kind].family.name
    unread = isinstance(outcome, Dropped) and outcome.verdict.reason == f"unsupported-format:{kind}"
    return f"{UNREAD}{kind}" if unread else ANY


def extractor(job: Extraction) -> Extractor:
    """Return the function from an index row to its documents; called once per batch.

    A function of the source that raises an exception about one item costs that item; `items` keeps what it gave
    before (crawlers/source_errors.py). The rest of such a capture is one more document.
    """
    from crawlers import defaults  # imports lxml; the process that only plans does not need it

    definition = _load_source(job.definition)
    file = catalogue.find_file(job.definition)
    archived = dict(job.archived)
    items = definition.items or defaults.items
    evidence = defaults.evidence_for(definition.source, archived, definition.evidence)
    text = definition.text or defaults.text
    read = host_templates.reader(job.templates, text)
    pasts = dict(job.past)
    matcher = withdrawn.read_matcher(job.tombstones)

    def extract(row: IndexRow) -> list[Outcome | Failure]:
        with input_errors(failure, MemoryError):
            found = read_row(row)
            return [withdrawn.drop(one, matcher) for one in found] if matcher else found

    def read_row(row: IndexRow) -> list[Outcome | Failure]:
        if row.kind == "file" and row.size > MAX_FILE:
            return [_drop_too_large(row, definition.source, evidence)]
        capture = replace(load_capture(row), source=definition.source.name)
        place = policy_url(definition.source, capture.url)
        host = policy_files.find(place, job.instruments) if job.instruments else ()
        faults: list[Fault] = []
        made: list[Outcome | Failure] = []
        for one in map(ParsedItem, _renew_for_each(read_items(items, capture, file, faults.append))):
            made += read_item(row, capture, one, host)
        made += [_make_lost(row, capture, _rest_of(capture, len(made)), fault, host) for fault in faults]
        if row.url not in pasts:
            return made
        visits = pasts[row.url]
        earlier = [(old, revisions.licences(old, load_capture, items, evidence, text)) for old in visits.earlier]
        return [one if isinstance(one, Failure) else _add_past_signals(one, visits, earlier) for one in made]

    def read_item(
        row: IndexRow, capture: Capture, parsed: ParsedItem, host: tuple[Signal, ...]
    ) -> list[Outcome | Failure]:
        faults: list[Fault] = []
        made: list[Outcome | Failure] = []
        with catch_faults(file, faults.append):
            said = read(parsed)
            if said.extracted.outcome == "failed" and said.extracted.reason != MEMORY:
                faults.append(Fault(said.extracted.reason, "", is_drop=False))
            else:
                labels = (*said.labels, *work_labels(definition.source, parsed.item.key))
                document = make_document(capture, row.payload_sha256, parsed, said.extracted, evidence, host)
                made = [_add_labels(document, labels, said.measures)]
        return made + [_make_lost(row, capture, parsed.item, fault, host) for fault in faults]

    return extract


def _rest_of(capture: Capture, given: int) -> Item:
    """Return the item for what `items` did not give of a capture: the capture itself, or the rest behind `given`."""
    from crawlers import defaults

    key = defaults.key_of(capture) + (f"#after-{given}" if given else "")
    return Item(key, capture.url, b"", "", "", capture.record, headers=capture.headers)


def _make_lost(
    row: IndexRow, capture: Capture, item: Item, fault: Fault, host: tuple[Signal, ...]
) -> Outcome | Failure:
    """Return the dropped or failed document of an item for which a function of the source raised an exception."""
    from crawlers.rights import response_signals  # imports lxml.html

    if not fault.is_drop:
        name = _replace_surrogates(f"{capture.source}/{item.key}")
        return Failure(name, capture.source, fault.reason, _replace_surrogates(capture.url), fault.detail)
    extracted = Extracted("", outcome="dropped", reason=fault.reason)
    bare = ParsedItem(replace(item, body=b"", evidence=()))
    signals = response_signals.find(bare.item, None)
    made = make_document(capture, row.payload_sha256, bare, extracted, lambda _: ((), signals), host)
    rows = ((source_errors.ROWS, str(fault.rows)),) if fault.rows > 1 else ()
    return _add_labels(made, ((source_errors.LABEL, fault.detail), *rows), ())


def failure(reason: str) -> Exception:
    """Return an exception that marks its document as failed with the name `reason`.

    `workers.attempt` counts ordinary exceptions by their name. It treats every OSError as a fault of the machine,
    and does not catch panics of compiled Rust; both may be caused by a document.
    """
    if reason == MEMORY:
        return MemoryError()
    named: type[Exception] = type(reason.removeprefix("error:"), (Exception,), {})
    return named()


def _renew_for_each(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items of a capture, each with the CPU budget of a document: a table may hold a million."""
    for item in items:
        renew()
        yield item


def items_of(job: Extraction) -> Callable[[IndexRow], list[Item]]:
    """Return the function from an index row to the items in its capture, as `extractor` reads them."""
    from crawlers import defaults

    definition = _load_source(job.definition)
    items = definition.items or defaults.items
    file = catalogue.find_file(job.definition)

    def read(row: IndexRow) -> list[Item]:
        capture = replace(load_capture(row), source=definition.source.name)
        return list(read_items(items, capture, file, lambda _: None))

    return read


def _add_labels(
    outcome: Outcome, labels: tuple[tuple[str, str], ...], measures: tuple[tuple[str, float], ...]
) -> Outcome:
    """Add to the outcome how its text was read, if the host has a template, and which work it is."""
    if not labels:
        return outcome
    labels = tuple(sorted((*outcome.document.labels, *labels)))
    return replace(outcome, document=replace(outcome.document, labels=labels, measures=measures))


def work_labels(source: Source, key: str) -> tuple[tuple[str, str], ...]:
    """Return the labels of a document of a family of sources: which work it is, and whether access needs a key.

    >>> from malmoi.source import Git
    >>> work_labels(Source("a", "A", "B", Git("https://github.com/a/b"), family="law.go.kr/law"), "001281")
    (('access', 'open'), ('work', 'law.go.kr/law/001281'))
    """
    if not source.family:
        return ()
    access = "key" if isinstance(source.access, Api) and source.access.key else "open"
    return ("access", access), ("work", f"{source.family}/{_replace_surrogates(key)}")


def policy_url(source: Source, url: str) -> str:
    """Return the URL whose host's policy applies to a capture at `url`: its own, or the URL of the dump of a block."""
    return source.access.url or url if isinstance(source.access, Dump) else url


def make_document(
    capture: Capture,
    payload_sha256: str,
    parsed: ParsedItem,
    extracted: Extracted,
    evidence: catalogue.Evidence,
    host: tuple[Signal, ...] = (),
) -> Outcome:
    """Make the document of one item of `capture`, or the verdict that drops it.

    `host` are the signals of the policy files of the host; no `evidence` of a source overrides them.
    """
    # Type 0 depends on the date, the rule of the source on the author; often only the page itself states them.
    found, signals = evidence(parsed.complete(extracted))
    item = parsed.item
    doc = Document(
        id=_replace_surrogates(f"{capture.source}/{item.key}"),
        text=_replace_surrogates(extracted.text),
        provenance=Provenance(
            source=capture.source,
            url=_replace_surrogates(item.url),
            record=item.record,
            fetched=capture.fetched,
            payload_sha256=payload_sha256,
            format=extracted.format,
            encoding=extracted.encoding,
        ),
        title=_replace_surrogates(clean_line(extracted.title or item.title)),
        date=valid_day(extracted.date) or valid_day(item.date),
        author=_replace_surrogates(clean_line(extracted.author or item.author)),
        evidence=tuple(_clean(one) for one in found),
        signals=tuple(_clean(one) for one in (*signals, *host)),
        labels=(("page_kind", extracted.page_kind),) if extracted.page_kind else (),
    )
    if extracted.outcome == "failed":
        raise failure(extracted.reason)
    if extracted.outcome == "dropped":
        return Dropped(doc, "extract", Verdict("drop", extracted.reason))
    if len(doc.text) > MAX_TEXT:
        too_long = Verdict("drop", "text-too-long", measured=float(len(doc.text)), limit=float(MAX_TEXT))
        return Dropped(replace(doc, text=doc.text[:1000]), "extract", too_long)
    return Kept(doc)


def _drop_too_large(row: IndexRow, source: Source, evidence: catalogue.Evidence) -> Outcome:
    from crawlers import defaults

    capture = Capture(row.record, row.url, row.fetched, 200, (), b"", source.name)
    item = Item(defaults.key_of(capture), row.url, b"", row.media, "", row.record)
    extracted = Extracted("", outcome="dropped", reason="too-large")
    outcome = make_document(capture, row.payload_sha256, ParsedItem(item), extracted, evidence)
    measured = Verdict("drop", "too-large", measured=float(row.size), limit=float(MAX_FILE))
    return Dropped(outcome.document, "extract", measured)


def _add_past_signals(outcome: Outcome, visits: Past, earlier: list[tuple[IndexRow, dict[str, str]]]) -> Outcome:
    doc = outcome.document
    key = doc.id.partition("/")[2]
    now = decide(doc.evidence, doc.signals).licence
    notes = (
        *revisions.disappearance_signals(visits),
        *revisions.relicensing_signals(key, now, doc.provenance.fetched, earlier),
    )
    return replace(outcome, document=replace(doc, signals=(*doc.signals, *notes)))


def load_capture(row: IndexRow) -> Capture:
    """Load the capture of an index row: a record of a WARC, or a file in its place.

    Raises CaptureError if the bytes are no longer those that were collected.
    """
    path = Path(row.path)
    if row.kind != "file":
        return captures.read(path, row.offset, row.record, row.payload_sha256)
    try:
        body = path.read_bytes()
    except FileNotFoundError as error:
        raise CaptureError(f"{path}: the file was deleted after it was collected; run collect again.") from error
    except OSError as error:
        raise CaptureError(
            f"{path}: the file can no longer be read ({error.strerror}); grant read permission, or run collect "
            "again, which leaves it out."
        ) from error
    if hashlib.sha256(body).hexdigest() != row.payload_sha256:
        raise CaptureError(f"{path}: the file has changed since it was collected; run collect again.")
    return Capture(row.record, row.url, row.fetched, 200, (("Content-Type", row.media),), body)


def _replace_surrogates(text: str) -> str:
    """Replace each lone surrogate, which UTF-8 cannot store, with U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def _clean(said: Said) -> Said:
    texts: dict[str, Any] = {f.name: getattr(said, f.name) for f in fields(said)}
    clean: dict[str, Any] = {name: _replace_surrogates(text) for name, text in texts.items()}
    return said if clean == texts else replace(said, **clean)


@lru_cache(maxsize=32)
def _load_source(name: str) -> catalogue.Definition:
    return catalogue.load(name)


def warm() -> None:
    """Import what the first page would import; a fork server calls it before it forks."""
    from crawlers import defaults

    item = Item("", "", b"<html><body><article><p>\xea\xb0\x80</p></article></body></html>", "text/html", "utf-8", "")
    defaults.text(ParsedItem(item))
