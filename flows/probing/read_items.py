"""Read the captures of a probe in a worker process: their documents, their fields, and the place of each licence."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from crawlers import attachments
from crawlers.encodings.decode import decode
from crawlers.extract import Extraction
from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.sniffing import format_by_name, sniff
from crawlers.formats.unreadable import Unreadable
from crawlers.platforms import answer_fields
from crawlers.rights import page_proofs
from crawlers.web.addresses import covers
from flows.plurals import count_of
from malmoi.archive.capture import Capture, IndexRow
from malmoi.document import Document
from malmoi.errors import CaptureError
from malmoi.licensing.proofs import PROOFS
from malmoi.licensing.rights_decision import UNKNOWN
from malmoi.processes.workers import Broken, Workers, attempt
from malmoi.source import Item

MAX_WORDS = 60  # characters of a value that a check shows
MAX_NAMES = 4  # names of fields of the rule that a check shows
MAX_FIELDS = 20  # names of fields that a check shows
MARKUP = ("html", "json", "jsonl", "xml")  # formats of messages of a server
TOTALS = ("totalCount", "totalCnt", "total_count", "TOTAL_COUNT", "list_total_count", "totalResults", "numFound")
BINARY = ("hwp", "hwpx", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "gz")  # endings
LOOSE = ("text", "markdown", "wikitext", "html")  # declared formats whose bytes may look like markup

LISTS = ("links-only", "index-page", "gallery-page")  # reasons of pages without text of their own
ROWS = 50  # rows of a table whose fields are read

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """One document of a capture, or why it has no text."""

    document: Document
    dropped: str = ""
    place: str = ""  # what is at the place of the licence; of a document without a proof


@dataclass(frozen=True, slots=True)
class ReadCapture:
    """The documents of one capture, or why it could not be read."""

    url: str = ""
    documents: tuple[ReadDocument, ...] = ()
    unknown_fields: tuple[str, ...] = ()
    failed: str = ""
    form: str = ""  # format and fields of the answer; of one without documents
    contradiction: str = ""  # of the declared type and the bytes
    totals: tuple[int, ...] = ()  # numbers of results that the answer states

    @property
    def items(self) -> list[ReadDocument]:
        """Return the documents that may have text: not the pages that only lead on."""
        return [one for one in self.documents if one.dropped not in LISTS]


def read_captures(extraction: Extraction, rows: Iterable[IndexRow], workers: Workers) -> list[ReadCapture]:
    """Return what each capture holds, under the limits of a worker. SourceError if the source contradicts itself."""
    batches = [(row,) for row in rows]
    answers = workers.map(make_reader, extraction, batches, lambda batch: [batch])
    return [
        ReadCapture(batch[0].url, failed=one.why) if isinstance(one, Broken) else one.value for batch, one in answers
    ]


def make_reader(extraction: Extraction) -> Callable[[tuple[IndexRow, ...]], ReadCapture]:
    """Return the worker function that reads one capture."""
    from crawlers import catalogue, source_errors
    from crawlers.extract import MAX_FILE, extractor, items_of, load_capture
    from malmoi.apply import Dropped
    from malmoi.ledger import Failure

    extract, list_items = extractor(extraction), items_of(extraction)
    definition, file = catalogue.load(extraction.definition), catalogue.find_file(extraction.definition)

    def read_documents(row: IndexRow) -> tuple[tuple[ReadDocument, ...], str]:
        documents: list[ReadDocument] = []
        failed: list[str] = []
        for one in extract(row):
            if isinstance(one, Failure):
                failed.append(source_errors.omit_message(one.detail) or one.why)
            elif error := dict(one.document.labels).get(source_errors.LABEL):
                failed.append(error)
            else:
                dropped = one.verdict.reason if isinstance(one, Dropped) else ""
                documents.append(ReadDocument(one.document, dropped))
        proofs = ([one for one in read.document.evidence if one.kind in PROOFS] for read in documents)
        if failed or all(any(proof.licence != UNKNOWN for proof in known) for known in proofs):
            return tuple(documents), next(iter(failed), "")
        rule, source = definition.source.rule, definition.source.name
        fields = _describe_fields(rule.fields, load_capture(row)) if rule.fields else ""
        places = {
            f"{source}/{item.key}": "; ".join(filter(None, (fields, _describe_selector(rule.selector, item))))
            for item in list_items(row)
        }
        return tuple(replace(one, place=places.get(one.document.id, fields)) for one in documents), ""

    def list_unknown(capture: Capture) -> tuple[list[str], str]:
        unknown: list[str] = []
        failed: list[str] = []
        if definition.unknown_fields:
            with source_errors.catch_faults(file, lambda fault: failed.append(fault.detail)):
                unknown += definition.unknown_fields(capture)
        return unknown, next(iter(failed), "")

    def find_totals(capture: Capture) -> tuple[int, ...]:
        answer = _read_answer(capture)
        values = [value for _, value in answer_fields.find_named(answer, TOTALS)] if answer is not None else []
        return tuple(int(value) for value in values if value.isascii() and value.isdigit())

    def read_one(batch: tuple[IndexRow, ...]) -> ReadCapture:
        (row,) = batch
        if row.kind == "file" and row.size > MAX_FILE:
            return ReadCapture(row.url, failed="too-large")
        read, failed = _try(read_documents, row)
        documents, failed = read or ((), failed)
        capture = replace(load_capture(row), source=definition.source.name)
        listed, why = _try(list_unknown, capture)
        unknown, why = listed or ([], why)
        form, _ = ("", "") if documents else _try(_describe_form, capture)
        contradiction, _ = _try(_find_contradiction, capture)
        totals, _ = _try(find_totals, capture)
        failed = failed.removeprefix(row.url).lstrip(":, ") or why
        return ReadCapture(row.url, documents, tuple(unknown), failed, form or "", contradiction or "", totals or ())

    return read_one


def _try(call: Callable[[Any], T], item: Any) -> tuple[T | None, str]:
    """Return the result of a call on an answer, or why it fails."""
    try:
        answer = attempt(call, item)
    except CaptureError as error:  # an answer is not of the form that items() reads
        return None, str(error)
    return (None, answer.why) if isinstance(answer, Broken) else (answer.value, "")


def _describe_selector(selector: tuple[tuple[str, str], ...], item: Item) -> str:
    """Describe what is at the place on a page where the rule of the source expects the mark of an item."""
    parsed = ParsedItem(item)
    if not selector or parsed.format != "html":
        return ""
    css = next((css for prefix, css in selector if not prefix or covers(prefix, item.url)), "")
    if not css:
        return "no address prefix of rule.selector covers its address"
    count = len(page_proofs.compile_selector(css)(parsed.page.tree))
    if not count:
        return f"the selector {css!r} matches nothing"
    return f"the selector {css!r} matches {count_of(count, 'element')}, which proves no licence"


def _describe_fields(names: tuple[str, ...], capture: Capture) -> str:
    """Describe the fields of an answer that are called by one of the names."""
    called = ", ".join(names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")
    answer = _read_answer(capture)
    if answer is None:
        where = "on the page" if sniff(capture.body, capture.header("Content-Type"), capture.url) == "html" else "there"
        return f"no field {called} with a licence {where}"
    found = list(dict.fromkeys(answer_fields.find_named(answer, names)))
    if not found:
        return f"the answer has no field {called}"
    return ", ".join(f"{path} is {value[:MAX_WORDS]!r}" if value else f"{path} is empty" for path, value in found[:3])


def _describe_form(capture: Capture) -> str:
    """Describe the format of an answer, and the fields of a structured one."""
    kind = sniff(capture.body, capture.header("Content-Type"), capture.url)
    answer = _read_answer(capture)
    names = answer_fields.list_names(answer) if answer is not None else ()
    if not names:
        return "a page of HTML" if kind == "html" else kind
    rest = ", …" if len(names) > MAX_FIELDS else ""
    return f"{kind} with the fields {', '.join(names[:MAX_FIELDS])}{rest}"


def _read_answer(capture: Capture) -> Any:
    """Return the tree of an answer in JSON or XML, or the facts of an attached file; None for anything else."""
    if (said := attachments.read(capture)) is not None:
        return dict(said.facts)
    kind = sniff(capture.body, capture.header("Content-Type"), capture.url)
    try:
        if kind == "json":
            return json.loads(decode(capture.body, capture.charset).text)
        if kind == "xml":
            return xml_records.parse_xml(capture.body, capture.charset)
        if kind in ("csv", "tsv", "jsonl"):
            lines = decode(capture.body, capture.charset).text.splitlines()[:ROWS]
            if kind == "jsonl":
                return [json.loads(line) for line in lines if line.strip()]
            return list(csv.DictReader(lines, delimiter="\t" if kind == "tsv" else ","))
    except (Unreadable, ValueError, RecursionError, csv.Error):
        pass
    return None


def _find_contradiction(capture: Capture) -> str:
    """Return how the bytes contradict the declared type or the name of the file; "" if they do not."""
    media = capture.header("Content-Type")
    kind = sniff(capture.body, media, capture.url)
    for how, said in (("declared as", format_by_name(media, "")), ("named like", format_by_name("", capture.url))):
        if kind in MARKUP and said not in ("", kind, *LOOSE) and not {said, kind} <= {"json", "jsonl"}:
            return f"{kind}, {how} {said}"
    ending = capture.url.partition("?")[0].rpartition(".")[2].lower()
    if kind not in MARKUP or ending not in BINARY:
        return ""
    if format_by_name(media, "") == kind == "html":
        # The page of a file in a wiki has the name of the file as its heading, behind a namespace.
        name = unquote(urlsplit(capture.url).path.rpartition("/")[2]).replace("_", " ").rpartition(":")[2].casefold()
        item = Item("", capture.url, capture.body, "text/html", capture.charset, capture.record)
        headings = (" ".join(one.text_content().split()).casefold() for one in ParsedItem(item).page.tree.iter("h1"))
        if any(one.rpartition(":")[2].strip() == name for one in headings):
            return ""
    return f"{kind}, named like {ending}"
