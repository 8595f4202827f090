"""Read the captures of a probe in a worker process: their documents, and the fields that the source does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from crawlers.extract import Extraction
from malmoi.archive.capture import IndexRow
from malmoi.document import Document
from malmoi.errors import CaptureError
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
    from crawlers import catalogue
    from crawlers.extract import extractor, load_capture
    from malmoi.apply import Dropped

    extract = extractor(extraction)
    definition = catalogue.load(extraction.definition)

    def read(row: IndexRow) -> ReadCapture:
        documents = tuple(
            ReadDocument(one.document, one.verdict.reason if isinstance(one, Dropped) else "") for one in extract(row)
        )
        capture = replace(load_capture(row), source=definition.source.name)
        return ReadCapture(documents, tuple(definition.unknown_fields(capture)) if definition.unknown_fields else ())

    def read_one(batch: tuple[IndexRow, ...]) -> ReadCapture:
        try:
            answer = attempt(read, batch[0])
        except CaptureError as error:  # an answer is not of the form that items() reads
            return ReadCapture(failed=str(error))
        return ReadCapture(failed=answer.why) if isinstance(answer, Broken) else answer.value

    return read_one
