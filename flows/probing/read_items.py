"""Read the captures of a probe in a worker process: their documents, and the fields that the source does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from crawlers.extract import Extraction
from malmoi.archive.capture import IndexRow
from malmoi.document import Document
from malmoi.processes.workers import Broken, Workers, attempt


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """One document of a capture, or why it has no text."""

    document: Document
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class ReadCapture:
    """The documents of one capture, or why it could not be read."""

    documents: tuple[ReadDocument, ...] = ()
    unknown_fields: tuple[str, ...] = ()
    failed: str = ""


def read_captures(extraction: Extraction, rows: Iterable[IndexRow], workers: Workers) -> list[ReadCapture]:
    """Return what each capture holds, under the limits of a worker. SourceError if the source contradicts itself."""
    batches = [(row,) for row in rows]
    answers = workers.map(make_reader, extraction, batches, lambda batch: [batch])
    return [ReadCapture(failed=one.why) if isinstance(one, Broken) else one.value for _, one in answers]


def make_reader(extraction: Extraction) -> Callable[[tuple[IndexRow, ...]], ReadCapture]:
    """Return the worker function that reads one capture."""
    from crawlers import catalogue, source_errors
    from crawlers.extract import extractor, load_capture
    from malmoi.apply import Dropped
    from malmoi.ledger import Failure

    extract = extractor(extraction)
    definition, file = catalogue.load(extraction.definition), catalogue.find_file(extraction.definition)

    def read(row: IndexRow) -> ReadCapture:
        documents: list[ReadDocument] = []
        failed: list[str] = []
        for one in extract(row):
            if isinstance(one, Failure):
                failed.append(one.detail or one.why)
            elif error := dict(one.document.labels).get(source_errors.LABEL):
                failed.append(error)
            else:
                dropped = one.verdict.reason if isinstance(one, Dropped) else ""
                documents.append(ReadDocument(one.document, dropped))
        capture = replace(load_capture(row), source=definition.source.name)
        unknown: list[str] = []
        if definition.unknown_fields:
            with source_errors.catch_faults(file, lambda fault: failed.append(fault.detail)):
                unknown += definition.unknown_fields(capture)
        return ReadCapture(tuple(documents), tuple(unknown), failed[0] if failed else "")

    def read_one(batch: tuple[IndexRow, ...]) -> ReadCapture:
        answer = attempt(read, batch[0])
        return ReadCapture(failed=answer.why) if isinstance(answer, Broken) else answer.value

    return read_one
