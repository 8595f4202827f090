"""Training tokens of each input and seed: whole documents up to one budget of tokens for all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from malmoi.ablation.byte_pairs import Ids


def count_tokens(documents: Sequence[Ids]) -> int:
    """Return the tokens of all documents, each with the one that ends it."""
    return sum(len(one) + 1 for one in documents)


def sample_tokens(ids: Sequence[str], documents: Sequence[Ids], budget: int, seed: int) -> Ids:
    """Return exactly `budget` tokens: documents in the order of `seed`, the last one cut; token 0 before each.

    The order depends on ids alone. So two inputs give a model the same documents as far as both have them, in the same
    order, and models of one seed differ by what was done to the documents, not by the luck of the draw.

    >>> sample_tokens(["a", "b"], [np.array([5, 6], np.uint16), np.array([7], np.uint16)], 4, seed=1).tolist()
    [0, 5, 6, 0]
    """
    found, size = [], 0
    for at in sorted(range(len(ids)), key=lambda at: hashlib.sha256(f"{seed} {ids[at]}".encode()).digest()):
        found += [np.zeros(1, np.uint16), documents[at]]
        size += len(documents[at]) + 1
        if size >= budget:
            break
    return np.concatenate(found)[:budget]
