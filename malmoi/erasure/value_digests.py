"""Find a value in texts without storing it: a keyed digest, and a short keyed fingerprint that makes the search fast.

A value is compared as letters and digits only, NFKC, case folded: `010-1234 5678` is `01012345678`. The file of
tombstones holds of it

    <HMAC-SHA256, hex>-<length>-<fingerprint, 6 hex digits>-<id of the key, 8 hex digits>

To search a text, every window of that length gets a polynomial hash modulo 2^64 with a secret base (NumPy); the HMAC
confirms the windows that have the fingerprint, 1 of 2^24.

Leaks: the length, and that two rows are of one value. The fingerprint is 24 bits of a function that needs the key.
Who has the key can test guesses by the HMAC anyhow; without it, a reader of many rows who knows most of their values
could learn at most 24 bits of another one. A resident or telephone number has 25 to 45. That is acceptable, because the
file is in the private workspace beside the key, and an exported row is of use only where the key is.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from malmoi.errors import CallError

MIN_LETTERS = 6  # letters and digits of a value; shorter ones are in too many texts
_BITS = 24  # of a fingerprint
_SLICE = 1 << 20  # characters that are searched at a time, 40 bytes each
_OTHER = re.compile(r"[\W_]+")
_FORM = re.compile(r"([0-9a-f]{64})-([0-9]{1,9})-([0-9a-f]{6})-([0-9a-f]{8})")
_U64 = npt.NDArray[np.uint64]


def normalise_value(text: str) -> str:
    """Return the letters and digits of a text, NFKC, case folded.

    >>> normalise_value("Ｈong@Example.kr 010-12"), normalise_value("홍 길·동")
    ('hongexamplekr01012', '홍길동')
    """
    return _OTHER.sub("", unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))


def digest_value(value: str, key: bytes) -> str:
    """Return the form in which a value is stored. CallError, which does not repeat it, if it is too short."""
    plain = normalise_value(value)
    if len(plain) < MIN_LETTERS:
        raise CallError(
            f"a value of {len(plain)} letters and digits is in too many texts; nothing was written. "
            f"Give at least {MIN_LETTERS}, such as a name with the place."
        )
    (fingerprint,) = Rolling(key).list_fingerprints(to_codes(plain), len(plain)).tolist()
    return f"{_sign(plain, key)}-{len(plain)}-{fingerprint:06x}-{identify_key(key)}"


def identify_key(key: bytes) -> str:
    """Return 8 hex digits that name a key, so that values of another key are noticed."""
    return hmac.digest(key, b"id of the key", "sha256").hex()[:8]


def is_value_digest(digest: str) -> bool:
    """Whether `digest_value` made it."""
    return _FORM.fullmatch(digest) is not None


class ValueFinder:
    """Finds the values of some digests in texts. CallError for a digest of another key."""

    def __init__(self, digests: Iterable[str], key: bytes) -> None:
        self._key, self._rolling = key, Rolling(key)
        self._sought: dict[int, dict[str, str]] = {}  # length → HMAC → digest
        self._fingerprints: dict[int, _U64] = {}
        for digest in digests:
            found = _FORM.fullmatch(digest)
            if found is None or found[4] != identify_key(key):
                raise CallError(
                    "the file of tombstones has a value of another erasure.key; restore the key from a copy, or revoke "
                    f"the tombstone {digest[:12]}…. With a wrong key erased values come back."
                )
            self._sought.setdefault(int(found[2]), {})[found[1]] = digest
        for length, known in self._sought.items():
            marks = sorted({int(digest.split("-")[2], 16) for digest in known.values()})
            self._fingerprints[length] = np.array(marks, np.uint64)

    def find(self, text: str) -> str | None:
        """Return the digest of a value that the text contains, or None."""
        plain = normalise_value(text) if self._sought else ""
        for length, known in self._sought.items():
            for first in range(0, len(plain) - length + 1, _SLICE):
                piece = plain[first : first + _SLICE + length - 1]
                hashes = self._rolling.list_fingerprints(to_codes(piece), length)
                for start in np.flatnonzero(np.isin(hashes, self._fingerprints[length])).tolist():
                    if (digest := known.get(_sign(piece[start : start + length], self._key))) is not None:
                        return digest
        return None


class Rolling:
    """A polynomial hash of windows modulo 2^64, whose base and factor are derived from a key."""

    def __init__(self, key: bytes) -> None:
        secret = hmac.digest(key, b"rolling fingerprint", "sha256")
        base, factor, shift = (int.from_bytes(secret[at : at + 8], "big") for at in (0, 8, 16))
        self._base, self._inverse = np.uint64(base | 1), np.uint64(pow(base | 1, -1, 1 << 64))
        self._factor, self._shift = np.uint64(factor | 1), np.uint64(shift)

    def list_fingerprints(self, codes: _U64, length: int) -> _U64:
        """Return the fingerprint of each window of `length`, shape (max(len(codes) - length + 1, 0),)."""
        return self.list_hashes(codes, length) >> np.uint64(64 - _BITS)

    def list_hashes(self, codes: _U64, length: int) -> _U64:
        """Return the hash of each window of `length`, shape (max(len(codes) - length + 1, 0),)."""
        if len(codes) < length:
            return np.empty(0, np.uint64)
        mixed = (codes + self._shift) * self._factor
        sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum((mixed ^ (mixed >> np.uint64(29))) * _raise(self._base, len(codes)), out=sums[1:])
        windows = (sums[length:] - sums[:-length]) * _raise(self._inverse, len(codes) - length + 1)
        hashes: _U64 = windows * self._factor
        return hashes


def _raise(base: np.uint64, n: int) -> _U64:
    """Return the powers 0 to n - 1 of `base` modulo 2^64, shape (n,)."""
    powers = np.full(n, base, np.uint64)
    powers[0] = 1
    made: _U64 = np.multiply.accumulate(powers)
    return made


def to_codes(text: str) -> _U64:
    """Return the code points of a text, shape (len(text),)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)


def _sign(plain: str, key: bytes) -> str:
    return hmac.digest(key, plain.encode("utf-8", "surrogatepass"), "sha256").hex()
