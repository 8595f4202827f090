"""Tokenizers of an export: bytes, morphemes as the release counts them, those of packages, a local tokenizer.json."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from malmoi.boundary import input_errors
from malmoi.errors import CallError
from malmoi.export.vocabulary import PACKAGED, read_vocabulary

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
        with input_errors(lambda name: _damage(path, name)):
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


def _find_end(names: Mapping[str, int], end_token: str, vocabulary: str) -> int | None:
    if end_token and end_token not in names:
        raise CallError(f"--end-token {end_token}: {vocabulary} has no such token; name one of its vocabulary.")
    return next((names[name] for name in (end_token, *END_TOKENS) if name in names), None)


def _damage(path: Path, name: str) -> CallError:
    return CallError(f"{path} is not a readable tokenizer.json ({name}); name the file of a Hugging Face tokenizer.")
