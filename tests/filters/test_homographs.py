"""Homographs that `morphology` decides: no narrower beam than Kiwi's default."""

from __future__ import annotations

from collections import Counter

from benchmarks.homographs import is_decided, read_homographs
from filters import morphology
from malmoi.document import Document, Provenance

# Right of the sentences of each group by Kiwi's default search (`python -m benchmarks.homographs`, kiwipiepy 0.24.1).
DEFAULT = {"distant": 43, "irregular": 83, "nouns": 71, "verb_adjective": 65}


def test_homographs_are_decided_as_well_as_by_kiwis_default_search() -> None:
    right = Counter[str]()
    for row in read_homographs():
        marked = morphology.mark(Document("test/1", row["text"], Provenance("test", "", "", "", "")))
        right[row["group"]] += is_decided(row, {(start, form, tag) for form, tag, start, _ in marked.rows()})
    assert {group: right[group] >= least for group, least in DEFAULT.items()} == dict.fromkeys(DEFAULT, True)


def test_a_homograph_is_named_once() -> None:
    rows = read_homographs()
    assert len({(row["text"], row["start"]) for row in rows}) == len(rows) >= 200
    assert all(row["text"][row["start"] : row["end"]].strip() for row in rows)
