"""A vocabulary of byte pairs: trained on equal shares of the inputs, and used by all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from malmoi.errors import CallError
from malmoi.storage.atomic_files import replace_file

END = "<|end|>"  # ends a text; its id is 0
SHARE = 2_000_000  # code points of each input that train a vocabulary
Ids = npt.NDArray[np.uint16]


def train_vocabulary(inputs: Sequence[Sequence[str]], size: int, path: Path) -> None:
    """Write a byte-level vocabulary of `size` pairs, trained on equal shares of all inputs in code points."""
    tokenizers = _load_library()
    found = tokenizers.Tokenizer(tokenizers.models.BPE())
    found.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = tokenizers.decoders.ByteLevel()
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END], initial_alphabet=letters, show_progress=False
    )
    share = min(SHARE, *(sum(map(len, texts)) for texts in inputs))
    found.train_from_iterator(chain.from_iterable(_take(texts, share) for texts in inputs), trainer)
    replace_file(path, found.to_str())


def open_vocabulary(path: Path) -> Any:
    """Return the vocabulary of a file; CallError if it is another file, or does not fit into 16 bits."""
    tokenizers = _load_library()
    try:
        found = tokenizers.Tokenizer.from_file(str(path))
        if found.token_to_id(END) != 0 or found.get_vocab_size() > 1 << 16:
            raise ValueError(f"its first of at most {1 << 16:,} tokens is not {END}")
    except Exception as error:  # tokenizers raises Exception itself
        raise CallError(
            f"{path} is not a vocabulary of an ablation ({error}); name the vocabulary.json of an earlier one."
        ) from error
    return found


def encode_texts(vocabulary: Any, texts: Sequence[str]) -> list[Ids]:
    """Return the token ids of each text, without the one that ends it; letters of END in a text are plain text."""
    vocabulary.encode_special_tokens = True
    return [np.array(one.ids, np.uint16) for one in vocabulary.encode_batch(list(texts), add_special_tokens=False)]


def _take(texts: Sequence[str], most: int) -> Iterator[str]:
    for text in texts:
        yield text[:most]
        most -= len(text)
        if most <= 0:
            return


def _load_library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise CallError(
            "malmoi ablate needs the package tokenizers, which is not installed. Run pip install 'malmoi[ablate]'."
        ) from error
    return tokenizers
