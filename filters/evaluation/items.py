"""Items of evaluation sets, and the fields that hold them in the published sets.

Only questions and possible answers are searched for: a question was written for the test, a passage comes from another
source and may legitimately occur there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

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
