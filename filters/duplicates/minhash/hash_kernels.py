"""Kernels of sketches: compiled loops over letters, shingles and permutations, on arrays of code points.

They run without the GIL and share no buffer, so that threads may call them concurrently. Each loop has a NumPy form
for inputs too small to be worth compiling (compiled_kernels.py); a property test checks that the two are equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from filters.duplicates.minhash.compiled_kernels import jit_kernel

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
