"""The plan of an ablation and its texts: inputs, and held-out documents that overlap with no input."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from filters.evaluation.item_files import Item
from filters.evaluation.item_index import FEWEST, build
from malmoi.errors import CallError, DataError
from malmoi.release_files import data_files
from malmoi.storage.duckdb_tables import list_columns, select_texts

PIECE = 300  # code points; each piece of a held-out document is searched for by itself
RUN = 12  # letters in a row that count as the same, the default of the filter benchmark_overlap
POOL = 10  # code points of a set that are read for each that is measured
SHARE = 0.5  # of the letters of a piece; the filter's default, for questions, is 0.7
KINDS = {  # ending of a file → kind
    ".parquet": "parquet",
    **dict.fromkeys((".jsonl", ".ndjson", ".jsonl.gz", ".jsonl.zst"), "json"),
    ".txt": "text",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Texts(_Strict):
    """Texts in files: a release, a folder, a file or a pattern, with the column of text and an SQL condition."""

    name: Annotated[str, Field(pattern=r"^[\w.+-]{1,40}$")]
    path: str  # relative to the plan
    text: str = "text"
    where: str = ""


class Setting(_Strict):
    """Sizes of model, training and measurement; docs/ablate.md says how they were chosen."""

    layers: int
    width: int
    heads: int
    context: int  # tokens
    vocabulary: int  # byte pairs; characters are measured in bits, so inputs share one vocabulary
    tokens: int  # that a model sees in training
    batch: int  # sequences of `context` tokens in a step
    held_out_chars: int = 50_000  # code points measured of each held-out set
    document_chars: int = 500  # code points measured of one document: its beginning
    rate: float = 0.002  # peak learning rate


_SIZES = {  # in the order of the fields of Setting
    "tiny": (1, 32, 2, 32, 400, 6_400, 8, 2_000),
    "small": (4, 256, 4, 256, 4_096, 1_500_000, 8),
    "medium": (8, 512, 8, 512, 16_384, 100_000_000, 64, 1_000_000, 8_000),
}
SETTINGS = {name: Setting(**dict(zip(Setting.model_fields, sizes, strict=False))) for name, sizes in _SIZES.items()}


class Plan(_Strict):
    """An ablation, as a TOML file writes it."""

    setting: Literal["tiny", "small", "medium"] = "small"
    seeds: Annotated[int, Field(ge=1, le=100)] = 2
    tokens: Annotated[int, Field(ge=1)] | None = None  # that a model sees; default: those of the setting
    input: Annotated[tuple[Texts, ...], Field(min_length=1)]
    held_out: Annotated[tuple[Texts, ...], Field(min_length=1)]

    @property
    def sizes(self) -> Setting:
        """Return the setting with the tokens of the plan."""
        return SETTINGS[self.setting].model_copy(update={"tokens": self.tokens} if self.tokens else {})


def read_plan(path: Path) -> Plan:
    """Return the plan of a TOML file; CallError if it cannot be followed."""
    try:
        plan = Plan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name the TOML file of a plan (docs/ablate.md).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError(f"{path}: not TOML in UTF-8 ({error}). Correct the plan.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CallError(f"{path}: {place}: {first['msg']}. Correct the plan (docs/ablate.md).") from error
    for kind, tables in (("input", plan.input), ("held_out", plan.held_out)):
        names = [table.name for table in tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise CallError(f"{path}: two tables [[{kind}]] have the name {twice[0]!r}. Give each a name of its own.")
    return plan


def read_texts(base: Path, given: Texts, most: int, *, tmp: Path) -> list[tuple[str, str]]:
    """Return (id, text) of a release, a folder, a file or a pattern, at most about `most` code points.

    The id is that of the column `id`; the text where that is missing. The order is that of a hash of the id, so a part
    is a sample. Empty texts are left out. CallError if there are no texts, or they cannot be read.
    """

    def find_kind(path: Path) -> str:
        return next((kind for end, kind in KINDS.items() if path.name.lower().endswith(end)), "")

    path = base / given.path
    if (path / "manifest.json").is_file():
        files = data_files(path)
    elif path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and find_kind(file))
    else:
        root = Path(path.anchor or ".")
        matches = [path] if path.is_file() else root.glob(path.relative_to(path.anchor).as_posix())
        files = sorted(file for file in matches if file.is_file())
    if not files or not all(map(find_kind, files)):
        raise CallError(
            f"{given.name}: {path} is not a release, a folder or a file of texts. Name one, or a pattern; files of "
            f"texts end in {', '.join(KINDS)}."
        )
    kinds = set(map(find_kind, files))
    kind = kinds.pop()
    column, columns = "content" if kind == "text" else given.text, dict[str, str]()
    rows, reason = list[tuple[str, str]](), "no text is selected"
    try:
        columns = list_columns(kind, files) if not kinds else {}
        if kinds:
            reason = "files of several kinds; a pattern such as 'folder/*.parquet' names those of one"
        elif columns.get(column) != "VARCHAR":
            reason = f"column {column!r} holds {columns.get(column, 'nothing')}, not text"
        else:
            id_column = "id" if "id" in columns else ""
            rows = select_texts(kind, files, column, given.where, most, tmp=tmp, id_column=id_column)
    except DataError as error:
        reason = str(error)
    if not rows:
        known = f"; columns: {', '.join(sorted(columns))}" if columns else ""
        raise CallError(
            f"{given.name}: {given.path} cannot be read ({reason}). Correct `path`, `text` or `where`{known}."
        )
    return rows


class HeldOut(NamedTuple):
    """The documents of a set that are measured, and how many were left out, and why."""

    name: str
    documents: tuple[str, ...]
    overlapping: int  # found in an input
    unsearched: int  # copies of another held-out document, or fewer than FEWEST letters of their own


def read_held_out(plan: Plan, base: Path, inputs: Mapping[str, Sequence[str]], *, tmp: Path) -> list[HeldOut]:
    """Return the held-out sets of a plan, with single blanks: those before a line end say nothing of the language."""
    sets = {}
    for given in plan.held_out:
        rows = read_texts(base, given, POOL * plan.sizes.held_out_chars, tmp=tmp)
        texts = ("\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip()) for _, text in rows)
        sets[given.name] = [text[: plan.sizes.document_chars] for text in texts if text]
    return select_held_out(sets, inputs, plan.sizes.held_out_chars)


def select_held_out(sets: Mapping[str, Sequence[str]], inputs: Mapping[str, Sequence[str]], most: int) -> list[HeldOut]:
    """Return of each set the documents that occur in no text of an input, up to `most` code points.

    A document overlaps if SHARE of the letters of one of its pieces of PIECE code points occurs in a text near each
    other. A document without a piece that can be searched for is left out too. CallError if nothing is left of a set.
    """
    documents = [(name, text) for name, texts in sets.items() for text in texts]
    items = [
        Item(name, "", number, (text[place : place + PIECE],))
        for number, (name, text) in enumerate(documents)
        for place in range(0, max(1, len(text) - FEWEST), PIECE)
    ]
    index = build(items, RUN)
    searched = {items[owner].number for owner in np.unique(index.owners)}
    origins: dict[int, str] = {}  # number of an overlapping document → the first input that has it
    for name, texts in inputs.items():
        for text in texts:
            for hit in index.search(text, SHARE).items:
                origins.setdefault(int(hit.name.rpartition(":")[2]), name)
    selected = []
    for name in sets:
        numbers = [number for number, (set_name, _) in enumerate(documents) if set_name == name]
        overlapping = [number for number in numbers if number in origins]
        usable = [number for number in numbers if number in searched and number not in origins]
        if not usable:
            sources = ", ".join(sorted({origins[number] for number in overlapping})) or "none"
            raise CallError(
                f"held-out set {name}: none of its {len(numbers)} documents is left: {len(overlapping)} occur in an "
                f"input ({sources}), the others are copies or have fewer than {FEWEST} letters of their own. Name "
                "other texts."
            )
        texts = [documents[number][1] for number in usable]
        before = np.cumsum([0, *map(len, texts[:-1])])
        kept = tuple(text for text, size in zip(texts, before, strict=True) if size < most)
        selected.append(HeldOut(name, kept, len(overlapping), len(numbers) - len(overlapping) - len(usable)))
    return selected
