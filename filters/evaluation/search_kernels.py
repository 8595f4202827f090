"""Kernels of the search for evaluation items: hashes of runs of letters, and how much of an item occurs together.

Letters are the low 16 bits of their code points: these cover all Hangul and nearly all other letters in half the
memory. Each kernel reads its input once; the length of the text bounds the work that `search` spends on full
comparisons.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from filters.duplicates.compiled_kernels import jit_kernel

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

TABLE = 1 << 14  # slots of the hash table of one item; holds one of TABLE / 2 letters
BESIDE = 48  # letters between the parts of an item, and around it: field names, marks, a heading
AGAIN = 48  # letters after which the same item is compared again
WORK = 64  # letters compared per letter of the text, at most; only an adversarial text needs more

_K = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier of the rolling hash (2^64 / golden ratio)
_ODD = np.uint64(0xD6E8FEB86659FD93)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_ONE = np.uint64(1)
_29, _32 = np.uint64(29), np.uint64(32)


@jit_kernel
def hash_runs(letters: U16, start: int, end: int, run: int, out: U64) -> int:
    """Hash every run of `run` letters in letters[start:end] into `out`; return their number."""
    top = _ONE
    for _ in range(run):
        top *= _K
    rolled = np.uint64(0)
    count = 0
    for i in range(start, end):
        rolled = rolled * _K + (np.uint64(letters[i]) + _ONE) * _ODD
        if i - start >= run:
            rolled -= (np.uint64(letters[i - run]) + _ONE) * _ODD * top
        if i - start >= run - 1:
            mixed = (rolled ^ (rolled >> _29)) * _MIX
            out[count] = mixed ^ (mixed >> _32)
            count += 1
    return count


@jit_kernel
def hash_runs_of_parts(letters: U16, begins: I64, ends: I64, run: int, hashes: U64, owners: I32) -> None:
    """Hash the run that begins at each letter and ends in the same part, and store the number of that part."""
    for part in range(begins.size):
        count = hash_runs(letters, begins[part], ends[part], run, hashes[begins[part] : ends[part]])
        owners[begins[part] : begins[part] + count] = part


@jit_kernel
def hash_parts(letters: U16, begins: I64, ends: I64) -> U64:
    """Return a hash of all letters of each part, shape (parts,)."""
    found = np.empty(begins.size, np.uint64)
    for part in range(begins.size):
        rolled = _ODD
        for i in range(begins[part], ends[part]):
            rolled = (rolled ^ np.uint64(letters[i])) * _MIX
            rolled ^= rolled >> _29
        found[part] = rolled
    return found


@jit_kernel
def _insert(hashes: U64, keys: U64, stamps: U32, marks: U8, stamp: int, mask: np.uint64) -> None:
    """Insert the hashes into the table, unmarked."""
    for h in hashes:
        place = h & mask
        while stamps[place] == stamp and keys[place] != h:
            place = (place + _ONE) & mask
        stamps[place] = stamp
        keys[place] = h
        marks[place] = 0


@jit_kernel
def _mark(hashes: U64, keys: U64, stamps: U32, marks: U8, stamp: int, mask: np.uint64) -> None:
    """Mark the table entries that are among the hashes."""
    for h in hashes:
        place = h & mask
        while stamps[place] == stamp:
            if keys[place] == h:
                marks[place] = 1
                break
            place = (place + _ONE) & mask


@jit_kernel
def _count_covered(hashes: U64, run: int, keys: U64, stamps: U32, marks: U8, stamp: int, mask: np.uint64) -> int:
    """Count the letters of a part, whose runs in order are `hashes`, that lie in a marked run."""
    covered, until = 0, 0
    for i in range(hashes.size):
        place = hashes[i] & mask
        while keys[place] != hashes[i] or stamps[place] != stamp:
            place = (place + _ONE) & mask
        if marks[place]:
            covered += i + run - max(until, i)
            until = i + run
    return covered


@jit_kernel
def _is_contained(part: U16, letters: U16, start: int, end: int) -> bool:
    """Whether letters[start:end] contains a part shorter than a run."""
    for i in range(start, end - part.size + 1):
        j = 0
        while j < part.size and letters[i + j] == part[j]:
            j += 1
        if j == part.size:
            return True
    return False


@jit_kernel(weight=4)
def search(  # noqa: C901
    letters: U16,
    run: int,
    min_share: float,
    whole: int,
    bits: U8,
    starts: U32,
    seeds: U64,
    owners: U32,
    parts: U16,
    begins: I64,
    ends: I64,
    kinds: U8,
    of_item: I64,
    alone: U8,
    reach: I32,
    hits: U8,
    hashes: U64,
    keys: U64,
    stamps: U32,
    marks: U8,
    clock: I64,
    seen: I64,
    tally: I32,
    since: I32,
    until: I32,
    share: F64,
    found: U32,
) -> tuple[int, float]:
    """Search for all items in `letters`; return how many were found (listed in `found`), and the largest other share.

    `share` holds the found share of each item compared in this call; `seen` marks these items.
    """
    count = hash_runs(letters, 0, letters.size, run, hashes)
    clock[0] += 1
    call = clock[0]
    bit_mask = np.uint64(bits.size * 8 - 1)
    shift = np.uint64(64)
    buckets = starts.size - 1
    while buckets > 1:
        buckets //= 2
        shift -= _ONE
    left = WORK * letters.size + 100_000
    total, near = 0, 0.0
    for i in range(count):
        h = hashes[i]
        bit = h & bit_mask
        if not bits[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7)) & 1:
            continue
        bucket = h >> shift
        for at in range(starts[bucket], starts[bucket + _ONE]):
            if seeds[at] != h:
                continue
            item = owners[at]
            if seen[item] != call:
                seen[item], share[item], tally[item], until[item] = call, 0.0, 0, 0
            if i < until[item] or share[item] >= 1.0:
                continue
            if tally[item] == 0 or i - since[item] > reach[item]:
                tally[item], since[item] = 0, i
            tally[item] += 1
            if tally[item] < hits[item]:
                continue
            lo = max(0, since[item] - reach[item])
            hi = min(letters.size, i + reach[item])
            tally[item], until[item] = 0, i + AGAIN
            if left < hi - lo:
                continue
            left -= hi - lo
            clock[1] += 1
            stamp = clock[1] & 0xFFFFFFFF
            held = 0
            for p in range(of_item[item], of_item[item + 1]):
                if not (alone[item] and kinds[p]):
                    held += hash_runs(parts, begins[p], ends[p], run, hashes[count + held :])
            size = 64
            while size < 2 * held:
                size *= 2
            mask = np.uint64(size - 1)
            _insert(hashes[count : count + held], keys, stamps, marks, stamp, mask)
            _mark(hashes[lo : max(lo, hi - run + 1)], keys, stamps, marks, stamp, mask)
            held = count
            asked, asked_there, all_, all_there = 0, 0, 0, 0
            for p in range(of_item[item], of_item[item + 1]):
                if alone[item] and kinds[p]:
                    continue
                part = parts[begins[p] : ends[p]]
                if part.size >= run:
                    of_part = hashes[held : held + part.size - run + 1]
                    there = _count_covered(of_part, run, keys, stamps, marks, stamp, mask)
                    held += of_part.size
                else:
                    there = part.size if _is_contained(part, letters, lo, hi) else 0
                all_ += part.size
                all_there += there
                if kinds[p] == 0:
                    asked += part.size
                    asked_there += there
            of_question = asked_there / asked
            got = of_question if alone[item] else all_there / all_
            needed = 1.0 if (asked if alone[item] else all_) < whole else min_share
            question_needed = 1.0 if asked < whole else min_share
            if got >= needed and of_question >= question_needed:
                if share[item] == 0.0:
                    found[total] = item
                    total += 1
                share[item] = max(share[item], got)
            else:
                near = max(near, min(got, of_question))
    return total, near
