"""MinHash signatures over shingles of letters and digits, bit-identical to datasketch 2.

Shingles ignore white space because Korean spacing varies: removing 5 % of the spaces lowers the Jaccard
similarity of word shingles to 0.67; that of these shingles stays 1.00. They also ignore punctuation, which changes
with the editor (quotes, middle dots, list marks), and the case of letters.

The kernels run without the GIL and share no buffer, so that threads may sketch concurrently. Each has a NumPy form for
inputs too small to be worth compiling (compiled_kernels.py); a property test checks that the two are equal.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from filters.duplicates.compiled_kernels import jit_kernel, use_compiled

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
    first = size = 0
    for last, text in enumerate(texts, 1):
        size += len(text)
        if size >= _BULK or last == len(texts):
            some = texts[first:last]
            ends = np.cumsum([len(text) for text in some], dtype=np.int64)
            sign_all(_code_points("".join(some)), ends, _lower_case_table(), *_permutations(), rows[first:last])
            first, size = last, 0
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


SHINGLE = 5  # letters and digits; about 1.2 eojeol of Korean prose

U32 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint8]

_NONE = np.uint32(0xFFFFFFFF)  # the minimum over no shingles
_PART = 256  # shingles that NumPy permutes at once: 128 KB, which fit the L2 cache
_BLOCK = 1024  # shingles hashed before they are permuted: 4 KB, which fit the L1 cache
_STEP = 64  # blocks are padded to a multiple of it, so that the whole loop is vectorised
_K = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier of the rolling hash (2^64 / golden ratio)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def _write_letters(points: U32, lower: U32, letters: U32) -> int:
    found = lower[np.minimum(points, np.uint32(len(lower) - 1))]
    found = found[found != 0]
    letters[: found.size] = found
    return int(found.size)


def _hash_shingles(letters: U32, hashes: U32) -> int:
    wide = letters.astype(np.uint64)
    width = min(SHINGLE, len(letters))
    count = len(letters) - width + 1 if width else 0
    rolled = np.zeros(count, np.uint64)
    for at in range(width):
        rolled = rolled * _K + wide[at : at + count]
    hashes[:count] = ((rolled ^ (rolled >> np.uint64(29))) * _MIX) >> np.uint64(32)
    return count


def _keep_distinct(hashes: npt.NDArray[np.unsignedinteger]) -> int:
    if not len(hashes):
        return 0
    found = hashes[np.concatenate(([True], hashes[1:] != hashes[:-1]))]
    hashes[: found.size] = found
    return int(found.size)


def _sign_all(points: U32, ends: npt.NDArray[np.int64], lower: U32, a: U32, b: U32, rows: U32) -> None:
    letters = np.empty(len(points), dtype=np.uint32)
    first = 0
    for number, end in enumerate(ends.tolist()):
        count = _write_letters(points[first:end], lower, letters)
        _sign(letters[:count], a, b, rows[number])
        first = end


def _sign(letters: U32, a: U32, b: U32, row: U32) -> None:
    row[:] = _NONE
    hashes = np.empty(len(letters), dtype=np.uint32)
    count = _hash_shingles(letters, hashes)
    for first in range(0, count, _PART):
        h = hashes[first : min(first + _PART, count)]
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
        np.minimum(row, (a[:, None] * h + b[:, None]).min(axis=1), out=row)


def _jaccard(left: U32, right: U32) -> float:
    shared = np.intersect1d(left, right, assume_unique=True).size
    union = len(left) + len(right) - shared
    return shared / union if union else 0.0


def _encode_utf8(points: U32, white: npt.NDArray[np.bool_], data: U8) -> int:
    kept = points[~white[np.minimum(points, np.uint32(len(white) - 1))]]
    text = kept.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass").encode("utf-8", "surrogatepass")
    data[: len(text)] = np.frombuffer(text, np.uint8)
    return len(text)


@jit_kernel(plain=_write_letters)
def write_letters(points: U32, lower: U32, letters: U32) -> int:
    """Write the letters among `points` in lower case to `letters`; return their number."""
    last = np.uint32(len(lower) - 1)
    count = 0
    for point in points:
        letter = lower[min(point, last)]
        letters[count] = letter
        count += int(letter != 0)  # branch-free: the CPU would mispredict at spaces
    return count


@jit_kernel(plain=_hash_shingles)
def hash_shingles(letters: U32, hashes: U32) -> int:
    """Write the hashes of the shingles of `letters`; return their number."""
    width = min(SHINGLE, len(letters))
    count = len(letters) - width + 1 if width else 0
    if width == SHINGLE:
        for i in range(count):  # unrolled for SHINGLE = 5: a nested loop is not vectorised
            rolled = np.uint64(letters[i])
            rolled = rolled * _K + np.uint64(letters[i + 1])
            rolled = rolled * _K + np.uint64(letters[i + 2])
            rolled = rolled * _K + np.uint64(letters[i + 3])
            rolled = rolled * _K + np.uint64(letters[i + 4])
            hashes[i] = _fold_hash(rolled)
    elif count:
        rolled = np.uint64(0)
        for letter in letters:
            rolled = rolled * _K + np.uint64(letter)
        hashes[0] = _fold_hash(rolled)
    return count


@jit_kernel
def _fold_hash(rolled: np.uint64) -> np.uint32:
    """Fold a hash to 32 bits: the upper half of a product that every bit of the polynomial reaches."""
    return np.uint32(((rolled ^ (rolled >> np.uint64(29))) * _MIX) >> np.uint64(32))


@jit_kernel(plain=_keep_distinct)
def keep_distinct(hashes: npt.NDArray[np.unsignedinteger]) -> int:
    """Move the distinct values of a sorted array to its front; return their number."""
    count = 0
    for i in range(len(hashes)):
        value = hashes[i]
        count += int(i == 0 or value != hashes[count - 1])
        hashes[count - 1] = value
    return count


@jit_kernel(plain=_sign_all)
def sign_all(points: U32, ends: npt.NDArray[np.int64], lower: U32, a: U32, b: U32, rows: U32) -> None:
    """Write the signature of each of the concatenated texts in `points`, which end at `ends`."""
    letters = np.empty(len(points), dtype=np.uint32)
    first = 0
    for number in range(len(ends)):
        count = write_letters(points[first : ends[number]], lower, letters)
        sign(letters[:count], a, b, rows[number])
        first = ends[number]


@jit_kernel(plain=_sign)
def sign(letters: U32, a: U32, b: U32, row: U32) -> None:
    """Write the signature of `letters` to `row`."""
    row[:] = _NONE
    hashes = np.empty(_BLOCK, dtype=np.uint32)
    first = 0
    while True:
        last = min(first + _BLOCK + SHINGLE - 1, len(letters))
        count = hash_shingles(letters[first:last], hashes)
        if count:
            filled = (count + _STEP - 1) // _STEP * _STEP
            hashes[count:filled] = hashes[count - 1]  # repeated hashes do not change the minimum
            _permute(hashes[:filled], a, b, row)
        if last == len(letters):
            return
        first += _BLOCK


@jit_kernel
def _permute(hashes: U32, a: U32, b: U32, row: U32) -> None:
    """Mix the hashes in place (MurmurHash3's finalizer, which datasketch applies first), then lower `row` by them."""
    for i in range(len(hashes)):
        h = hashes[i]
        h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        hashes[i] = h ^ (h >> np.uint32(16))
    for j in range(len(row)):
        factor, offset, least = a[j], b[j], row[j]
        for i in range(len(hashes)):
            least = min(least, np.uint32(np.uint32(factor * hashes[i]) + offset))
        row[j] = least


@jit_kernel(plain=_jaccard)
def jaccard(left: U32, right: U32) -> float:
    """Return the exact Jaccard similarity of two sorted arrays of distinct hashes; 0.0 if both are empty.

    >>> jaccard(np.array([1, 4, 7], dtype=np.uint32), np.array([1, 2, 7], dtype=np.uint32))
    0.5
    """
    i = j = shared = 0
    while i < len(left) and j < len(right):
        a, b = left[i], right[j]
        shared += int(a == b)
        i += int(a <= b)
        j += int(b <= a)
    union = len(left) + len(right) - shared
    return shared / union if union else 0.0


@jit_kernel(plain=_encode_utf8)
def encode_utf8(points: U32, white: npt.NDArray[np.bool_], data: U8) -> int:
    """Write `points` as UTF-8 without white space to `data`; return the bytes. Surrogates are encoded like others."""
    last = np.uint32(len(white) - 1)
    size = 0
    for point in points:
        kept = int(not white[min(point, last)])
        if ((point >= 0x80) & (point < 0x800)) | (point >= 0x10000):
            width = 2 if point < 0x800 else 4
            for i in range(width - 1, 0, -1):
                data[size + i] = np.uint8(0x80 | point & 0x3F)
                point >>= np.uint32(6)
            data[size] = np.uint8((0xC0 if width == 2 else 0xF0) | point)
        else:  # one byte or three (Hangul and blanks), branch-free
            width = 1 + 2 * int(point >= 0x80)
            data[size] = np.uint8(point if point < 0x80 else 0xE0 | point >> 12)
            data[size + 1] = np.uint8(0x80 | point >> 6 & 0x3F)  # for one byte, the next point overwrites this
            data[size + 2] = np.uint8(0x80 | point & 0x3F)
        size += kept * width
    return size
