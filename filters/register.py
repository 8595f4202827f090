"""Label the register of a text (news, encyclopedia, law, manual, essay, talk …) by a model; silent where it is unsure.

The registers are those by which a trainer mixes data and which sources declare. The subject of a text is another
question, which `domain` answers. `docs/register-model.md` describes the model.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from filters.korean.morpheme_signs import grammar_of
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.models import Features, Model, load_model, read_content, score_labels
from malmoi.parameter_bounds import Share

LIBRARIES = ("numpy",)
NEEDS = ("morphology",)

LEAST = 15  # morphemes; a shorter text shows too little of its register; our choice, about two sentences

KINDS = (
    "news", "press", "encyclopedia", "technical", "academic", "statutory", "judicial", "administrative",
    "essay", "review", "literature", "spoken", "advertising",
)  # fmt: skip


def judge(doc: Document, *, min_score: Share = 0.5) -> Verdict:
    """Label a text with its register if the score reaches `min_score`; nothing is dropped.

    The score of a register is its probability, 0..1, among all registers and none, by the model of
    `lexicons/register.model`; it is calibrated on texts of writers who did not train it. Label `register`: news, press,
    encyclopedia, technical, academic, statutory, judicial, administrative, essay, review, literature, spoken,
    advertising, or "" if no score is high enough or the text has under 15 morphemes. Measure `register_score`: the
    highest score of a register. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'register' needs morphemes, but the document has none; "
            "put 'morphology' before 'register' in the recipe"
        )
    found = score_kinds(doc.text, doc.morphemes)
    name, best = max(found.items(), key=lambda s: s[1]) if found else ("", 0.0)
    labels = (("register", name if best >= min_score else ""),)
    return Verdict("keep", "register", best, min_score, labels, (("register_score", best),))


def score_kinds(text: str, found: Morphemes) -> dict[str, float]:
    """Return the score of each register, rounded to 4 places; together with "none of them" they add up to 1."""
    if len(found) < LEAST:
        return {}
    model = load()
    scores = score_labels(compute_features(text, found), model).tolist()
    return {name: round(score, 4) for name, score in zip(model.about["labels"], scores, strict=True) if name}


def load() -> Model:
    """Return the model, read once per process."""
    return load_model(MODEL, (SLOTS, 1 + len(KINDS)))


MODEL: Final = Path(__file__).parent / "lexicons" / "register.model"
BITS: Final = 16  # of a slot among those of morphemes, and among those of characters
SLOTS: Final = 2 << BITS
# Formulae are at the head and the tail; the middle of a long text has more of the same.
HEAD, TAIL = 900, 300  # code points
MOST: Final = 1_000  # morphemes
MORPHEME_SIZES: Final = range(1, 4)  # of n-grams
CHARACTER_SIZES: Final = range(1, 5)
MORPHEME_WEIGHT: Final = 0.5  # of the morphemes beside the characters; by leaving one writer out
_MASKED: Final = b"N0LHU"  # signs of `morpheme_signs` whose forms are left out
_CODES_KEPT: Final = 20_000  # forms whose hash is remembered
# Constants of hashes: FNV-1a's prime, and the finaliser of MurmurHash3.
_PRIME, _SALT, _MIX = np.uint32(16_777_619), np.uint32(0x9E3779B9), np.uint32(0x85EBCA6B)
_SHOWN: Final = np.full(128, 131, np.uint32)  # factor of the hash of a form, by sign
_SHOWN[np.frombuffer(_MASKED, np.uint8)] = 0

Codes = npt.NDArray[np.uint32]


class _Codes(dict[str, int]):
    """The hash of each form, remembered."""

    def __missing__(self, form: str) -> int:
        if len(self) > _CODES_KEPT:
            self.clear()
        code = self[form] = crc32(form.encode("utf-8", "replace"))
        return code


_CODE_OF = _Codes()


def compute_features(text: str, found: Morphemes) -> Features:
    """Return the n-grams of the first 900 and the last 300 code points of a text, and of their morphemes.

    Slots of characters are behind those of morphemes. A value is the square root of how often a slot occurs; those of
    characters are scaled to length 1, those of morphemes to length 0.5.
    """
    # Of the morphemes: how many the head has, and the index of the first one of the tail
    size = len(found)
    first, last = min(size, MOST), size
    if len(text) > HEAD + TAIL:
        first = min(bisect_left(found.start, HEAD), MOST)
        last = max(bisect_left(found.start, len(text) - TAIL), first, size - (MOST - first))
    signs = grammar_of(found).signs
    forms = found.form[:first] + found.form[last:]
    tags = np.frombuffer((signs[:first] + signs[last:]).encode(), np.uint8)
    codes = np.fromiter(map(_CODE_OF.__getitem__, forms), np.uint32, len(forms)) * _SHOWN[tags] + tags
    head = text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"
    letters = np.frombuffer(f"\n{head}\n".encode("utf-32-le", "surrogatepass"), np.uint32).copy()
    letters[letters - np.uint32(48) < 10] = 48  # every digit counts as 0
    runs = [*_hash_runs(codes, MORPHEME_SIZES), *_hash_runs(letters, CHARACTER_SIZES)]
    morphemes = sum(map(len, runs[: len(MORPHEME_SIZES)]))
    return _count_slots(np.concatenate(runs), morphemes)


def _hash_runs(codes: Codes, sizes: range) -> list[Codes]:
    """Return a hash of each run of codes, for each size of runs from 1 on."""
    hashed = codes + _SALT
    runs = [hashed]
    for size in sizes[1:]:
        hashed = hashed[:-1] * _PRIME + codes[size - 1 :]
        runs.append(hashed)
    return runs


def _count_slots(hashes: Codes, morphemes: int) -> Features:
    """Return the slots of hashes, of which the first `morphemes` are of morphemes."""
    hashes ^= hashes >> np.uint32(16)
    hashes *= _MIX
    hashes >>= np.uint32(32 - BITS)
    hashes[morphemes:] += np.uint32(1 << BITS)
    hashes.sort()
    new = np.empty(len(hashes), np.bool_)
    new[0] = True
    np.not_equal(hashes[1:], hashes[:-1], out=new[1:])
    starts = new.nonzero()[0]
    times = np.empty(len(starts), np.float32)
    np.subtract(starts[1:], starts[:-1], out=times[:-1], casting="unsafe")
    times[-1] = len(hashes) - starts[-1]
    border = int(starts.searchsorted(morphemes))
    times[:border] *= MORPHEME_WEIGHT**2 / max(1, morphemes)
    times[border:] /= len(hashes) - morphemes
    return Features(hashes[starts], np.sqrt(times, out=times))


# The weights decide too, so the version depends on them: a new model makes stages run again.
VERSION = int(hashlib.sha256(b"4 " + read_content(MODEL)).hexdigest()[:8], 16)  # 4: version of this file
