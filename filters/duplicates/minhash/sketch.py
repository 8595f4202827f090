"""MinHash signatures over shingles of letters and digits, bit-identical to datasketch 2.

Shingles ignore white space because Korean spacing varies: removing 5 % of the spaces lowers the Jaccard
similarity of word shingles to 0.67; that of these shingles stays 1.00. They also ignore punctuation, which changes
with the editor (quotes, middle dots, list marks), and the case of letters.

The kernels run without the GIL (hash_kernels.py), so that threads may sketch concurrently.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from filters.duplicates.minhash.compiled_kernels import jit_kernel as jit_kernel
from filters.duplicates.minhash.compiled_kernels import use_compiled
from filters.duplicates.minhash.hash_kernels import SHINGLE as SHINGLE
from filters.duplicates.minhash.hash_kernels import U32 as U32
from filters.duplicates.minhash.hash_kernels import (
    encode_utf8,
    hash_shingles,
    keep_distinct,
    sign,
    sign_all,
    write_letters,
)
from filters.duplicates.minhash.hash_kernels import jaccard as jaccard

if TYPE_CHECKING:
    from datasketch import LeanMinHash

PERMUTATIONS = 128
SEED = 1  # of the permutations of datasketch; its default, so that its sketches are comparable
SCHEME = "affine32"

_LAST = 0x323B0  # one after the last hanja of Unicode 16; later code points do not count as letters
_BULK = 1 << 16  # code points decoded at once by `signatures`: 256 KB, which fit the L2 cache
_WIDER = 0xFEE0  # from an ASCII character to its full-width form
_WHITE = np.array([chr(point).isspace() for point in range(0x3002)])  # U+3000 is the last white space


def letters_of(text: str) -> U32:
    """Return the letters, digits and combining marks of `text` in lower case, as code points, shape (n,).

    Each code point is lowered by itself, as by `str.lower()`, with two exceptions: İ becomes i, without the dot
    that str.lower() adds, and ς becomes σ everywhere. Full-width letters and digits (Ａ, ７), which occur in forms and
    tables, become their ASCII forms.

    >>> "".join(map(chr, letters_of("‘부엌의 말’, 2026 · Ⅱ! ＤＤＲ５")))
    '부엌의말2026ⅱddr5'
    """
    points = _code_points(text)
    letters = np.empty(points.size, dtype=np.uint32)
    return letters[: write_letters(points, _lower_case_table(), letters)]


def shingle_hashes(text: str) -> U32:
    """Return the distinct 32-bit hashes of all shingles of `text`, sorted, shape (n,).

    A text of fewer than SHINGLE letters is one shingle, so that short texts have sketches too; a text without
    letters has none.

    >>> shingle_hashes("가나다라마바").size, shingle_hashes("가").size, shingle_hashes("…").size
    (2, 1, 0)
    """
    letters = letters_of(text)
    hashes = np.empty(letters.size, dtype=np.uint32)
    hashes = hashes[: hash_shingles(letters, hashes)]
    hashes.sort()
    return hashes[: keep_distinct(hashes)]


def signature(text: str) -> U32:
    """Return the MinHash signature of `text`, shape (PERMUTATIONS,), equal to that of datasketch's scheme affine32.

    All values are 0xFFFFFFFF for a text without letters.

    >>> from datasketch import MinHash
    >>> theirs = MinHash(PERMUTATIONS, seed=SEED, scheme=SCHEME, hashfunc=int)
    >>> theirs.update_batch(shingle_hashes("우리말을 모은 사전"))
    >>> bool((theirs.hashvalues == signature("우리말을 모은 사전")).all())
    True
    """
    return signature_of(letters_of(text))


def signature_of(letters: U32) -> U32:
    """Return the signature of a text from its `letters_of`."""
    row = np.empty(PERMUTATIONS, dtype=np.uint32)
    sign(letters, *_permutations(), row)
    return row


def signatures(texts: Sequence[str]) -> U32:
    """Return the signatures of many texts, shape (len(texts), PERMUTATIONS); for short texts faster than one by one.

    >>> bool((signatures(["우리말", "사전"])[1] == signature("사전")).all())
    True
    """
    rows = np.empty((len(texts), PERMUTATIONS), dtype=np.uint32)
    for first, last in _batches(texts):
        some = texts[first:last]
        ends = np.cumsum([len(text) for text in some], dtype=np.int64)
        sign_all(_code_points("".join(some)), ends, _lower_case_table(), *_permutations(), rows[first:last])
    return rows


def to_datasketch(row: U32) -> LeanMinHash:
    """Return a signature as datasketch's own object, to query or to index it with datasketch.

    >>> to_datasketch(signature("우리말")).jaccard(to_datasketch(signature("우리 말")))
    1.0
    """
    from datasketch import LeanMinHash  # imports scipy and redis: a third of a second that no worker needs

    return LeanMinHash(seed=SEED, hashvalues=row, scheme=SCHEME)


def exact_digest(text: str) -> str:
    """Return the sha256 (hex) of the text in UTF-8 without white space; it is equal for exact copies.

    >>> exact_digest("우리 말") == hashlib.sha256("우리말".encode()).hexdigest()
    True
    """
    points = _code_points(text)
    data = np.empty(4 * points.size, dtype=np.uint8)
    return hashlib.sha256(data[: encode_utf8(points, _WHITE, data)].data).hexdigest()


def warm(*, compile: bool = False) -> None:
    """Build the tables and load cached compiled kernels, so that forked processes share them.

    Nothing is compiled unless `compile` is set: a large enough input compiles later.
    """
    _lower_case_table()
    _permutations()
    use_compiled((write_letters, hash_shingles, keep_distinct, sign, sign_all, jaccard, encode_utf8), compile=compile)
    jaccard(shingle_hashes("우리말을 모은 사전"), shingle_hashes(""))
    signatures(["우리말을 모은 사전"])
    signature("우리말을 모은 사전")
    exact_digest("우리말")


def _code_points(text: str) -> U32:
    """Return the code points of a text, read-only, so that kernels get one array type."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield slices of `texts` of about _BULK code points each."""
    first = size = 0
    for number, text in enumerate(texts):
        size += len(text)
        if size >= _BULK:
            yield first, number + 1
            first, size = number + 1, 0
    if first < len(texts):
        yield first, len(texts)


@lru_cache(maxsize=1)
def _lower_case_table() -> U32:
    """Return the lower case of each code point of category L*, N* or M* (combining marks of letters), else 0."""
    lower = np.zeros(_LAST + 1, dtype=np.uint32)
    for point in range(_LAST):
        letter = chr(point)
        if unicodedata.category(letter)[0] in "LNM":
            lower[point] = ord(letter.lower()[0])
    lower[ord("ς")] = ord("σ")
    for plain in range(ord("0"), ord("z") + 1):
        lower[plain + _WIDER] = lower[plain]
    return lower


@lru_cache(maxsize=1)
def _permutations() -> tuple[U32, U32]:
    """Return the odd factors and the offsets that datasketch draws for this seed; a doctest above checks them."""
    draw = np.random.RandomState(SEED)
    a = draw.randint(0, 1 << 31, PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return a, draw.randint(0, 1 << 32, PERMUTATIONS, dtype=np.uint32)
