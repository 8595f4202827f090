"""Read evaluation sets from files: JSON, JSON lines, TSV, CSV, Parquet and plain lines, gzipped or not.

The format is detected by content, with the file name as a hint; the fields identify the set
(`filters/evaluation/item_files.py`).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.errors import CallError
from malmoi.recipe_files import NamedFile

Row: TypeAlias = Mapping[str, Any]
Texts: TypeAlias = tuple[str, ...]
Asked: TypeAlias = tuple[Texts, Texts, Texts]  # question, choices, passage
Take: TypeAlias = Callable[[Row], Iterator[Asked]]


@dataclass(frozen=True, slots=True)
class Item:
    """The texts of one item; `number` counts the items of its file from 1."""

    set: str  # klue-ynat, kmmlu …; for other sets the name of the file or folder
    file: str
    number: int
    question: Texts  # written for the test, or all there is
    choices: Texts = ()  # choices and written answers
    passage: Texts = ()  # the subject of a question

    @property
    def name(self) -> str:
        """The name in labels, e.g. `kmmlu/Law-test.csv:17`; never the text."""
        return f"{self.set}/{self.file}:{self.number}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Row layout of a set: recognised by the fields it `needs`; other known fields are ignored.

    `hint` is a word that the file name must contain if other sets have the same fields.
    """

    set: str
    needs: frozenset[str]
    question: Texts
    choices: Texts = ()
    passage: Texts = ()
    hint: str = ""


def _layout(set: str, question: str, choices: str = "", passage: str = "", also: str = "", hint: str = "") -> Layout:
    """Build a layout from field names, separated by |; all are required, also those of `also`, except names with ?."""
    texts = [tuple(name for name in names.split("|") if name) for names in (question, choices, passage)]
    needs = frozenset(name for names in (*texts, also.split("|")) for name in names if name and name[-1] != "?")
    asked, chosen, read = (tuple(name.rstrip("?") for name in names) for names in texts)
    return Layout(set, needs, asked, chosen, read, hint)


# Field names as published, by the owners of the sets or in the Parquet of the hub. The first match decides.
LAYOUTS: tuple[Layout, ...] = (
    _layout("klue-mrc", "question", "answers?", "context|title?", also="guid|question_type"),
    _layout("klue-nli", "hypothesis", passage="premise", also="guid"),
    _layout("klue-sts", "sentence1|sentence2", also="guid"),
    _layout("klue-re", "sentence", also="subject_entity|object_entity"),
    _layout("klue-ynat", "title", also="guid|label"),
    _layout("klue-dp", "sentence", also="word_form|deprel"),
    _layout("kobest-copa", "premise", "alternative_1|alternative_2"),
    _layout("kobest-copa", "sentence", "1|2", also="question"),
    _layout("kobest-wic", "context_1|context_2"),
    _layout("kobest-wic", "SENTENCE1|SENTENCE2"),
    _layout("kobest-hellaswag", "context", "ending_1|ending_2|ending_3|ending_4"),
    _layout("kobest-hellaswag", "context", "choice1|choice2|choice3|choice4"),
    _layout("kobest-boolq", "Question", passage="Text"),
    _layout("kobest-boolq", "question", passage="paragraph", also="label"),
    _layout("kobest-sentineg", "Text", also="Label"),
    _layout("kobest-sentineg", "sentence", also="label", hint="sentineg"),
    _layout("kmmlu", "question", "A|B|C|D"),
    _layout("kmmlu", "question", "option#1|option#2|option#3|option#4"),
    _layout("hae-rae", "query", "options|answer?"),
    _layout("hae-rae", "query", "o1|o2|o3|o4|o5?"),
    _layout("click", "question", "choices|answer?", "paragraph"),
    _layout("", "question", "choices|answer?", "context?|paragraph?|passage?"),
    _layout("", "question", "options|answer?", "context?|paragraph?|passage?"),
    _layout("", "question", "a|b|c|d|e?"),
    _layout("", "question", "answer?|answers?", "context?|paragraph?|passage?"),
    _layout("", "hypothesis", passage="premise"),
    _layout("", "sentence1|sentence2"),
    _layout("", "sentence", also="label"),
)
KNOWN = sorted({name for layout in LAYOUTS for name in (*layout.question, *layout.choices, *layout.passage)})

_TAGGED = re.compile(r"<([^<>:]{1,200}):[A-Z]{2}>")


def reader_of(row: Row, hint: str) -> tuple[str, Take] | None:
    """Return the set of a first row ("": unnamed), and the function that extracts question, choices and passage.

    `hint` is the name of the file in lower case. None if no published set has such fields.
    """
    for name, fields, take in _NESTED:
        if fields <= row.keys():
            return name, take
    for layout in LAYOUTS:
        if layout.needs <= row.keys() and layout.hint in hint:
            return layout.set, partial(_take_fields, layout)
    return None


def read_plain(row: Row) -> Iterator[Asked]:
    """Return all strings of a row, at any depth, as one question: for sets with unknown fields."""
    yield tuple(strings(row)), (), ()


def strings(value: Any) -> Iterator[str]:
    """Yield the texts in a value of JSON or Parquet, in their order.

    >>> list(strings({"text": ["5개", "5"], "answer_start": [318, 318]}))
    ['5개', '5']
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for one in value:
            yield from strings(one)


def _take_fields(layout: Layout, row: Row) -> Iterator[Asked]:
    question, choices, passage = (
        tuple(text for name in names for text in strings(row.get(name)))
        for names in (layout.question, layout.choices, layout.passage)
    )
    yield question, choices, passage


def _read_squad(row: Row) -> Iterator[Asked]:
    """Read KLUE-MRC as its owners publish it: an article with paragraphs, each with questions."""
    for paragraph in row["paragraphs"]:
        for asked in paragraph["qas"]:
            answers = tuple(strings(asked.get("answers")))
            yield (asked["question"],), answers, (paragraph["context"], *strings(row.get("title")))


def _read_exam(row: Row) -> Iterator[Asked]:
    """Read CLIcK as its owners publish it: a paragraph with problems."""
    for problem in row["problems"]:
        choices = (*strings(problem.get("choices")), *strings(problem.get("answer")))
        yield (problem["question"],), choices, tuple(strings(row.get("paragraph")))


def _read_dialogue(row: Row) -> Iterator[Asked]:
    """Read KLUE-DST (Wizard of Seoul): the turns of one dialogue."""
    turns = row["dialogue"]
    texts = turns["text"] if isinstance(turns, Mapping) else [turn["text"] for turn in turns]
    yield tuple(text for text in texts if text), (), ()


def _read_tokens(row: Row) -> Iterator[Asked]:
    """Read KLUE-NER: the characters of a sentence; if only the tagged one exists (`<서울:LC>에`), without its tags."""
    text = "".join(map(str, row["tokens"])) if row.get("tokens") else _TAGGED.sub(r"\1", row["sentence"])
    yield (text,), (), ()


_NESTED: tuple[tuple[str, set[str], Take], ...] = (
    ("klue-mrc", {"paragraphs"}, _read_squad),
    ("click", {"problems"}, _read_exam),
    ("klue-dst", {"dialogue"}, _read_dialogue),
    ("klue-ner", {"tokens", "ner_tags"}, _read_tokens),
)


MAX_BYTES = 2 << 30  # per file, unpacked; KMMLU's training files, the largest here, are 100 MB
_HEADING = re.compile(r"^## (klue-[a-z]+)[^\t\n]*\t(.*)$", re.MULTILINE)
_SLUG = re.compile(r"[^0-9a-z가-힣]+")
_NAME = re.compile(r"[\s,;:]+")


def items_of(file: NamedFile) -> list[Item]:
    """Return the items of one file. CallError says what is wrong with it, where, and what to do next."""
    hint = file.name.lower()
    inner = _NAME.sub("-", file.name.split("/", 1)[-1])
    found = [
        Item(name or _slug(file.name), inner, number, *parts)
        for number, (name, parts) in enumerate(_read_rows(file, hint), 1)
    ]
    if not any(text.strip() for item in found for text in (*item.question, *item.choices)):
        raise CallError(
            f"{file.path}: no item with a text. Give a file of an evaluation set, or remove it from `sets`."
        )
    return found


def _read_rows(file: NamedFile, hint: str) -> Iterator[tuple[str, Asked]]:
    content = _decompress(file)
    if not content.strip():
        raise CallError(f"{file.path}: the file is empty. Give a file of an evaluation set, or remove it from `sets`.")
    if content[:4] == b"PAR1":
        yield from _read_structured(file, _read_parquet(file, content), hint, free=False)
        return
    text = _decode(file, content)
    name = hint.removesuffix(".gz")
    if text.lstrip()[:1] in "{[" and not name.endswith((".txt", ".csv", ".tsv")):
        free = name.endswith((".jsonl", ".ndjson"))
        yield from _read_structured(file, _read_json(file, text), hint, free=free)
    elif _HEADING.search(text[:10_000]):
        yield from _read_tagged(text)
    elif name.endswith((".csv", ".tsv")):
        yield from _read_structured(
            file, _read_table(file, text, "\t" if name.endswith(".tsv") else ","), hint, free=False
        )
    elif name.endswith((".txt", ".text")):
        yield from (("", ((line.strip(),), (), ())) for line in text.splitlines() if line.strip())
    else:
        raise CallError(
            f"{file.path}: not a file of an evaluation set: expected JSON, JSON lines, TSV, CSV or Parquet. A list of "
            "questions, one per line, must be a .txt file."
        )


def _read_structured(file: NamedFile, rows: Iterable[Row], hint: str, *, free: bool) -> Iterator[tuple[str, Asked]]:
    """Parse rows by the layout of the first; it may be unknown only with `free`. All rows need the same fields."""
    found = None
    for number, row in enumerate(rows, 1):
        if found is None:
            found = reader_of(row, hint) or (("", read_plain) if free else None)
            if found is None:
                raise CallError(
                    f"{file.path}: fields {_format_keys(row)} belong to no known evaluation set. Rename those that "
                    f"hold the texts to question, choices, answer or passage, or give the file as .jsonl, in which "
                    f"every string counts. Known: {', '.join(KNOWN)}."
                )
        set_name, take = found
        try:
            parts = list(take(row))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise CallError(
                f"{file.path}: row {number} does not have the layout of the first ({type(error).__name__}: {error}); "
                f"it has the fields {_format_keys(row)}. Correct the row, or give each set as a separate file."
            ) from error
        for one in parts:
            yield set_name, one


def _format_keys(row: Row) -> str:
    return ", ".join(repr(str(key)) for key in row) or "(none)"


def _read_json(file: NamedFile, text: str) -> Iterator[Row]:
    """Parse a JSON array, JSON lines, or consecutive objects; `data` of the KLUE-MRC file is unfolded."""
    decoder, at, line = json.JSONDecoder(), 0, 1
    blank = re.compile(r"\s*")
    while at < len(text):
        start = blank.match(text, at).end()  # type: ignore[union-attr]
        if start == len(text):
            return
        line += text.count("\n", at, start)
        try:
            value, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise CallError(
                f"{file.path}:{line}: not valid JSON ({error}). Give the complete file in UTF-8."
            ) from error
        yield from _read_objects(file, value, line)
        line += text.count("\n", start, at)


def _read_objects(file: NamedFile, value: object, line: int) -> Iterator[Row]:
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            raise CallError(
                f"{file.path}:{line}: expected an object with fields, found {type(one).__name__}. An evaluation set is "
                "a list of objects; a list of questions, one per line, must be a .txt file."
            )
        yield one


def _read_table(file: NamedFile, text: str, delimiter: str) -> Iterator[Row]:
    """Parse CSV with its quotes; TSV too, as spreadsheets write it, unless it has an unclosed quote."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if delimiter == "," or text.count('"') % 2 == 0 else csv.QUOTE_NONE
    csv.field_size_limit(1 << 24)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    try:
        for row in reader:
            yield {key.strip(): value for key, value in row.items() if key is not None and value is not None}
    except csv.Error as error:
        raise CallError(f"{file.path}:{reader.line_num}: not a table ({error}). Save it again as CSV.") from error


def _read_parquet(file: NamedFile, content: bytes) -> Iterator[Row]:
    try:
        for batch in pq.ParquetFile(pa.BufferReader(content)).iter_batches(1024):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise CallError(f"{file.path}: not a complete Parquet file ({error}). Download it again.") from error


def _read_tagged(text: str) -> Iterator[tuple[str, Asked]]:
    """Parse KLUE-NER and KLUE-DP: a heading with the sentence, then a token with its tag in each line.

    The sentence of NER is joined from its characters, since the heading also holds the tags.
    """
    name, sentence, letters = "", "", [""]
    for line in (*text.splitlines(), "## klue-end\t"):
        if heading := _HEADING.match(line):
            if name:
                yield name, (("".join(letters) if name == "klue-ner" else sentence,), (), ())
            name, sentence, letters = heading[1], heading[2], []
        elif line.strip() and not line.startswith("##"):
            letters.append(line.split("\t", 1)[0])


def _decompress(file: NamedFile) -> bytes:
    content = file.content()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            found = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CallError(f"{file.path}: not a complete gzip file ({error}). Download it again.") from error
    if len(found) > MAX_BYTES:
        raise CallError(f"{file.path}: more than {MAX_BYTES >> 20} MB unpacked. Split it, or give only the test part.")
    return found


def _decode(file: NamedFile, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CallError(
            f"{file.path}: not UTF-8 at byte {error.start}. Convert it: iconv -f cp949 -t utf-8."
        ) from error


def _slug(name: str) -> str:
    """Name an unknown set after the listed folder, or after the file without its extensions.

    >>> _slug("Our Exam (2025).test.jsonl.gz"), _slug("우리시험/a.txt")
    ('our-exam-2025-test', '우리시험')
    """
    first = name.split("/", 1)[0]
    if "/" not in name:
        path = PurePosixPath(first.removesuffix(".gz"))
        first = path.stem if path.suffix else path.name
    return _SLUG.sub("-", first.lower()).strip("-") or "unnamed"
