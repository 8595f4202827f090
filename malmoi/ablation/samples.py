"""Training tokens of each input and seed: whole documents up to one budget of tokens for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from malmoi.ablation.byte_pairs import Ids


def count_tokens(documents: Sequence[Ids]) -> int:
    """Return the tokens of all documents, each with the one that ends it."""
    return sum(len(one) + 1 for one in documents)


def sample_tokens(documents: Sequence[Ids], budget: int, seed: int) -> Ids:
    """Return exactly `budget` tokens: documents in the order of `seed`, the last one cut; id 0 before each.

    >>> sample_tokens([np.array([5, 6], np.uint16), np.array([7], np.uint16)], 4, seed=1).tolist()
    [0, 5, 6, 0]
    """
    found, size = [], 0
    for at in np.random.default_rng(seed).permutation(len(documents)):
        found += [np.zeros(1, np.uint16), documents[at]]
        size += len(documents[at]) + 1
        if size >= budget:
            break
    return np.concatenate(found)[:budget]
