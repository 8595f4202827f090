"""Signatures as others make them: `python sign_texts.py SYSTEM TEXTS.json`, where `sign_texts.txt` is installed.

TEXTS holds `texts`, a list, and `pairs`, a list of two texts each. Standard input has a command a line, and each is
answered by one line of JSON: `sign N` signs the first N texts, from `str` to signature, and says what CPU seconds it
took, all threads of the process included; `rmse` goes through the pairs and says how far the estimated Jaccard lies
from the exact one of the shingles that this system takes. Every system has 128 permutations but datatrove, whose 14
bands of 8 are 112.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import math
import sys
import time
import unicodedata
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PERMUTATIONS = 128
LENGTH = 5  # characters or words of a shingle


@dataclass(frozen=True, slots=True)
class System:
    """`sign` makes rows of `shingles`, to be compared value by value; what `prepare` does to texts is not timed."""

    sign: Callable[[Any], Any]
    shingles: Callable[[str], Sequence[Hashable]]
    prepare: Callable[[Sequence[str]], Any] = list


def characters(text: str) -> list[str]:
    """Five characters as they stand, blanks and signs too."""
    return [text[i : i + LENGTH] for i in range(max(1, len(text) - LENGTH + 1))]


def letters(text: str) -> list[str]:
    """Malmoi's shingles: five letters, digits or marks in lower case."""
    found = "".join(c for c in text.lower() if unicodedata.category(c)[0] in "LNM")
    return characters(found) if found else []


def words(text: str) -> list[str]:
    return text.split()


def five_words(text: str) -> list[str]:
    found = text.split()
    return [" ".join(found[i : i + LENGTH]) for i in range(max(1, len(found) - LENGTH + 1))]


def spaced(text: str) -> str:
    """Each character a word of its own, for what makes shingles of words only."""
    return " ".join("".join(text.split()))


def malmoi(bulk: bool) -> System:
    from filters.duplicates import sketch

    sketch.warm(compile=True)
    if bulk:
        return System(sketch.signatures, letters)
    return System(lambda texts: [sketch.signature(t) for t in texts], letters)


def malmoi_letters() -> System:
    """From letters to signature; they are hashed, but taking them from the text is not counted."""
    from filters.duplicates import sketch

    sketch.warm(compile=True)
    return System(
        lambda texts: [sketch.signature_of(t) for t in texts],
        letters,
        lambda texts: [sketch.letters_of(t) for t in texts],
    )


def malmoi_sketch() -> System:
    """The whole row of a document as the survey of copies takes it: counts, digest and signature."""
    import numpy as np

    from filters.duplicates import duplicate_survey, sketch
    from malmoi.document import Document, Provenance

    sketch.warm(compile=True)
    base = Provenance("s", "", "", "", "")

    def sign(texts: Sequence[str]) -> list[Any]:
        rows = [duplicate_survey.sketch(Document(str(i), text, base)) for i, text in enumerate(texts)]
        return [np.frombuffer(row["signature"], "<u4") for row in rows]

    return System(sign, letters)


def datasketch(fast_hash: bool) -> System:
    from datasketch import MinHash

    options: dict[str, Any] = {"num_perm": PERMUTATIONS}
    if fast_hash:
        from xxhash import xxh32_intdigest

        options["hashfunc"] = xxh32_intdigest

    def one(text: str) -> Any:
        made = MinHash(**options)
        made.update_batch([s.encode("utf-8", "surrogatepass") for s in characters(text)])
        return made.hashvalues

    return System(lambda texts: [one(t) for t in texts], characters)


def rensa(kind: str, tokens: Callable[[str], list[str]]) -> System:
    """`object`: an RMinHash a text; `c`: a CMinHash; `matrix`: all in one call; `rho`: its fastest, samples tokens."""
    from rensa import CMinHash, RMinHash

    def one(text: str) -> Any:
        made = (CMinHash if kind == "c" else RMinHash)(num_perm=PERMUTATIONS, seed=42)
        made.update(tokens(text))
        return made.digest()

    def many(texts: Sequence[str]) -> Any:
        call = (
            RMinHash.digest_matrix_from_token_sets if kind == "matrix" else RMinHash.digest_matrix_from_token_sets_rho
        )
        return call([tokens(t) for t in texts], PERMUTATIONS, 42)

    if kind in ("object", "c"):
        return System(lambda texts: [one(t) for t in texts], tokens)
    return System(many, tokens)


def rensa_hashed(rho: bool) -> System:
    """Its digest matrix from hashes in one flat buffer: what comes before, shingles and hashes, is not counted."""
    import numpy as np
    from rensa import RMinHash

    def prepare(texts: Sequence[str]) -> tuple[Any, Any]:
        hashes = RMinHash.hash_token_sets([characters(t) for t in texts])
        offsets = np.cumsum([0, *map(len, hashes)], dtype=np.uint64)
        return np.array([h for row in hashes for h in row], dtype=np.uint64), offsets

    call = RMinHash.digest_matrix_from_flat_token_hashes
    if rho:
        call = RMinHash.digest_matrix_from_flat_token_hashes_rho
    return System(lambda given: call(*given, PERMUTATIONS, 42), characters, prepare)


def daft(hash_function: Any, prepare: Callable[[str], str], shingles: Callable[[str], list[str]]) -> System:
    """One column, one call; `prepare` is part of the cost."""
    from daft import Series

    def sign(texts: Sequence[str]) -> Any:
        column = Series.from_pylist([prepare(t) for t in texts])
        return column.minhash(PERMUTATIONS, LENGTH, 1, hash_function).to_arrow()

    return System(sign, shingles)


def datatrove(korean: bool) -> System:
    """Its signature step without its files; with Kiwi, its own path for Korean, or with words between blanks."""
    import tempfile

    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.utils.text import simplify_text
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Blanks(WordTokenizer):  # type: ignore[misc]
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    config = MinhashConfig(n_grams=LENGTH, num_buckets=14, hashes_per_bucket=8)
    language = "kor_Hang" if korean else Blanks()
    step = MinhashDedupSignature(tempfile.mkdtemp(), config=config, language=language)

    def one(text: str) -> list[int]:
        return [value for band in step.get_signature(step.get_shingles(text)) for value in band]

    def shingles(text: str) -> list[Hashable]:
        found = step.word_tokenizer.word_tokenize(simplify_text(text, config.norm_config))
        return [tuple(found[i : i + LENGTH]) for i in range(len(found) - LENGTH + 1)]

    return System(lambda texts: [one(t) for t in texts], shingles)


def minhashlib() -> System:
    from minhashlib import MinHash

    made = MinHash(num_perm=PERMUTATIONS, k=LENGTH)
    return System(lambda texts: [made.signature(t) for t in texts], characters)


SYSTEMS: dict[str, Callable[[], System]] = {
    "malmoi": lambda: malmoi(bulk=False),
    "malmoi-bulk": lambda: malmoi(bulk=True),
    "malmoi-sketch": malmoi_sketch,
    "malmoi-letters": malmoi_letters,
    "datasketch-sha1": lambda: datasketch(fast_hash=False),
    "datasketch-xxh32": lambda: datasketch(fast_hash=True),
    "rensa-object": lambda: rensa("object", characters),
    "rensa-matrix": lambda: rensa("matrix", characters),
    "rensa-rho": lambda: rensa("rho", characters),
    "rensa-c": lambda: rensa("c", characters),
    "rensa-matrix-words": lambda: rensa("matrix", words),
    "rensa-rho-words": lambda: rensa("rho", words),
    "rensa-hashed": lambda: rensa_hashed(rho=False),
    "rensa-hashed-rho": lambda: rensa_hashed(rho=True),
    "daft-words": lambda: daft("xxhash3_64", str, five_words),
    "daft-words-murmur": lambda: daft("murmurhash3", str, five_words),
    "daft-characters": lambda: daft("xxhash3_64", spaced, lambda t: characters("".join(t.split()))),
    "datatrove-blanks": lambda: datatrove(korean=False),
    "datatrove-kiwi": lambda: datatrove(korean=True),
    "minhashlib": minhashlib,
}


def rmse(system: System, pairs: Sequence[Sequence[str]]) -> float:
    """Root of the mean squared distance of estimated from exact Jaccard."""
    made = system.sign(system.prepare([text for pair in pairs for text in pair]))
    rows = made.to_rows() if hasattr(made, "to_rows") else made
    squares = []
    for i, (a, b) in enumerate(pairs):
        one, two = set(system.shingles(a)), set(system.shingles(b))
        left, right = _values(rows[2 * i]), _values(rows[2 * i + 1])
        estimate = sum(x == y for x, y in zip(left, right, strict=True)) / len(left)
        squares.append((estimate - len(one & two) / len(one | two)) ** 2)
    return math.sqrt(sum(squares) / len(squares))


def _values(row: Any) -> list[Any]:
    for name in ("tolist", "as_py"):  # of NumPy, of Arrow
        if hasattr(row, name):
            row = getattr(row, name)()
    return list(row)


def main(name: str, path: str) -> int:
    """Answer commands until standard input ends; status 3 where the system is not installed."""
    try:
        system = SYSTEMS[name]()
    except ImportError as error:
        print(error, file=sys.stderr)
        return 3
    held = json.loads(Path(path).read_text(encoding="utf-8"))
    texts, pairs = held["texts"], held["pairs"]
    system.sign(system.prepare(texts[:20]))  # what is loaded or compiled with the first text is no part of a signature
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        command, *count = line.split()
        if command == "sign":
            some = system.prepare(texts[: int(*count)])
            began = time.process_time()
            system.sign(some)
            answer: Any = time.process_time() - began
        else:
            answer = rmse(system, pairs)
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
