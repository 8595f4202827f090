"""MinHash signatures over shingles of letters and digits, bit-identical to datasketch 2.

White space is left out of the shingles because Korean writers space freely: dropping 5 % of the
spaces brings the Jaccard similarity of word shingles down to 0.67, that of these stays 1.00. So are
signs, which change with the editor (quotes, middle dots, list marks), and the case of letters.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from datasketch import LeanMinHash

PERMUTATIONS = 128
SEED = 1  # of datasketch's permutations; the default there, so that its own sketches are comparable
SHINGLE = 5  # letters and digits; about 1.2 eojeol of Korean prose
SCHEME = "affine32"
_LAST = 0x323B0  # one behind the last assigned hanja; no letter stands above
_CHUNK = 2048  # shingles permuted at once: 1 MB of products stays in the cache

U32 = npt.NDArray[np.uint32]
_K = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier of the rolling hash (2^64 / golden ratio)


def shingle_hashes(text: str) -> U32:
    """The distinct 32-bit hashes of all shingles of `text`, sorted, shape (n,).

    A text of fewer than SHINGLE letters is one shingle, so that short texts have sketches too; a
    text without any has none.
    """
    return np.unique(_hashes(letters_of(text).astype(np.uint64)))


def letters_of(text: str) -> U32:
    """The letters, digits and combining marks of `text` in lower case, as code points, shape (n,).

    >>> "".join(map(chr, letters_of("‘부엌의 말’, 2026 · Ⅱ!")))
    '부엌의말2026ⅱ'
    """
    points = np.frombuffer(text.lower().encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kept: U32 = points[_is_letter()[np.minimum(points, _LAST)]]
    return kept


def _hashes(points: npt.NDArray[np.uint64]) -> U32:
    if not points.size:
        return np.empty(0, dtype=np.uint32)
    width = min(SHINGLE, points.size)
    rolled = np.zeros(points.size - width + 1, dtype=np.uint64)
    for i in range(width):
        rolled = rolled * _K + points[i : points.size - width + 1 + i]
    mixed = (rolled ^ (rolled >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def signature(text: str) -> U32:
    """The MinHash signature of `text`, shape (PERMUTATIONS,), as datasketch's scheme affine32 computes it.

    >>> from datasketch import MinHash
    >>> theirs = MinHash(PERMUTATIONS, seed=SEED, scheme=SCHEME, hashfunc=int)
    >>> theirs.update_batch(shingle_hashes("우리말을 모은 사전"))
    >>> bool((theirs.hashvalues == signature("우리말을 모은 사전")).all())
    True
    """
    return signature_of(letters_of(text))


def signature_of(letters: U32) -> U32:
    """The signature of a text whose `letters_of` are known."""
    a, b = _permutations()
    h = _fmix32(_hashes(letters.astype(np.uint64)))  # a hash that stands twice has no other minimum
    h = np.unique(h) if h.size > _CHUNK else h  # sorting is dearer than permuting a few, not than permuting many
    best = np.full(PERMUTATIONS, 0xFFFFFFFF, dtype=np.uint32)
    for at in range(0, h.size, _CHUNK):
        product = a[:, None] * h[None, at : at + _CHUNK] + b[:, None]
        np.minimum(best, product.min(axis=1), out=best)
    return best


def as_datasketch(row: U32) -> LeanMinHash:
    """A signature as datasketch's own object, to query or to index with datasketch alone.

    >>> as_datasketch(signature("우리말")).jaccard(as_datasketch(signature("우리 말")))
    1.0
    """
    from datasketch import LeanMinHash  # imports scipy and redis: a third of a second that no worker needs

    return LeanMinHash(seed=SEED, hashvalues=row, scheme=SCHEME)


def exact_digest(text: str) -> str:
    """sha256 (hex) of the text without white space: equal means an exact copy."""
    return hashlib.sha256("".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=1)
def _is_letter() -> npt.NDArray[np.bool_]:
    """For each code point whether its category is L*, N* or M*; the marks belong to the letters they stand on."""
    return np.array([unicodedata.category(chr(point))[0] in "LNM" for point in range(_LAST + 1)])


@lru_cache(maxsize=1)
def _permutations() -> tuple[U32, U32]:
    """The factors (odd) and offsets that datasketch draws for this seed; a doctest above holds them to it."""
    draw = np.random.RandomState(SEED)
    a = draw.randint(0, 1 << 31, PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return a, draw.randint(0, 1 << 32, PERMUTATIONS, dtype=np.uint32)


def _fmix32(h: U32) -> U32:
    """MurmurHash3's 32-bit finalizer, which datasketch applies before its permutations."""
    h = h ^ (h >> np.uint32(16))
    h = h * np.uint32(0x85EBCA6B)
    h = h ^ (h >> np.uint32(13))
    h = h * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def matrix(rows: Any) -> U32:
    """Signatures as stored (a column of fixed binary) as a matrix of shape (documents, PERMUTATIONS)."""
    joined = b"".join(rows)
    return np.frombuffer(joined, dtype="<u4").reshape(-1, PERMUTATIONS)
