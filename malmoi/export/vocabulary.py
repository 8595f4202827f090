"""Vocabularies that come inside packages: Tekken of Mistral AI, and the one of Qwen.

The files are read without importing their packages, which takes seconds and needs the libraries of a whole client.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from malmoi.errors import CallError


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A byte-level BPE: `pattern` cuts a text into pieces, `ranks` orders the tokens inside a piece."""

    sha256: str  # of the file
    pattern: str
    ranks: Mapping[bytes, int]
    special: Mapping[str, int]  # token ids of the special tokens that have a meaning in a plain text
    offset: int = 0  # token id − rank
    is_composed: bool = False  # texts are brought into Unicode's form NFC first


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
